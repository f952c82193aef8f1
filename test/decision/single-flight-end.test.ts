import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate, gateHeaders } from '../support/ask-gate.ts'
import { request } from '../support/client.ts'
import { startHolding, untilAsking } from '../support/holding-gate.ts'
import { startNginx } from '../support/nginx.ts'
import { patientTest } from '../support/patient-test.ts'
import { watchStalls } from '../support/stalls.ts'
import { until } from '../support/until.ts'

describe('a question that several requests share', () => {
  patientTest('holds nobody who joins late past the deadline of a question', async (t) => {
    const { gate, backend } = await startHolding(t, { BACKEND_TIMEOUT: '600ms' })
    const stalls = watchStalls()
    const leader = askGate(gate.port)
    await delay(100)
    const late = await askGate(gate.port)
    const lost = stalls()
    assert.equal(late.reason, 'unavailable-timeout')
    assert.ok(late.took < 600 + 250 + lost, `the one who joined late waited ${late.took} ms`)
    const { took } = await leader
    assert.ok(took < 600 + 250 + lost, `the leader waited ${took} ms`)
    assert.equal(backend.asked.length, 1)
  })

  patientTest('goes on for the others when the viewer who started it leaves nginx', async (t) => {
    const { gate, backend, release } = await startHolding(t, { BACKEND_TIMEOUT: '2500ms' })
    const nginx = await startNginx(t, { gates: [gate.address] })
    const leader = connect(nginx.port, '127.0.0.1')
    leader.on('error', () => {})
    leader.write('GET /index.m3u8?token=1 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until('the question', () => backend.asked.length === 1)
    const follower = request({ port: nginx.port, target: '/index.m3u8?token=1', host: 'Host: localhost' })
    await untilAsking(gate, 2)
    leader.resetAndDestroy()
    await delay(50)
    await release(1, 200)
    assert.equal((await follower).status, 200)
    assert.equal(backend.asked.length, 1)
  })

  patientTest('whose every client disconnects is remembered for the next one', async (t) => {
    const { gate, backend, release } = await startHolding(t)
    const only = connect(gate.port, '127.0.0.1')
    only.write(`GET /auth HTTP/1.1\r\nHost: alta-auth\r\n${gateHeaders({}).join('\r\n')}\r\n\r\n`)
    await until('the question', () => backend.asked.length === 1)
    only.destroy()
    await release(1, 200)
    await until('the decision', () => gate.logText().includes('"decided"'))
    assert.equal((await askGate(gate.port)).reason, 'remembered')
    assert.equal(backend.asked.length, 1)
  })
})
