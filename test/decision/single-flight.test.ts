import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { request } from '../support/client.ts'
import { startHolding, untilAsking } from '../support/holding-gate.ts'
import { startNginx } from '../support/nginx.ts'

const outcomesOf = (answers: readonly GateAnswer[]): string[] => [
  ...new Set(answers.map(({ status: code, reason, sessionId }) => `${code} ${reason} ${sessionId}`)),
]

describe('simultaneous requests', () => {
  for (const code of [200, 403]) {
    test(`50 that are alike are one question, and all get its ${code}`, async (t) => {
      const { gate, backend, release } = await startHolding(t)
      const asking = Promise.all(Array.from({ length: 50 }, () => askGate(gate.port)))
      await untilAsking(gate, 50)
      await release(1, code)
      const outcomes = outcomesOf(await asking)
      assert.equal(outcomes.length, 1, outcomes.join('\n'))
      assert.match(outcomes[0] ?? '', new RegExp(`^${code} backend-${code} [\\w-]{22}$`))
      assert.equal(backend.asked.length, 1)
    })
  }

  test('50 that are alike are one question through nginx', async (t) => {
    const { gate, backend, release } = await startHolding(t, { BACKEND_TIMEOUT: '2500ms' })
    const nginx = await startNginx(t, { gates: [gate.address] })
    const play = () => request({ port: nginx.port, target: '/index.m3u8?token=1' })
    const asking = Promise.all(Array.from({ length: 50 }, play))
    await untilAsking(gate, 50)
    await release(1, 200)
    assert.deepEqual([...new Set((await asking).map((answer) => answer.status))], [200])
    assert.equal(backend.asked.length, 1)
  })

  test('50 that are alike are one question when no backend answers', async (t) => {
    const more = { BACKEND_TIMEOUT: '400ms', DEFAULT_ACTION: 'allow' }
    const { gate, backend } = await startHolding(t, more)
    const outcomes = outcomesOf(await Promise.all(Array.from({ length: 50 }, () => askGate(gate.port))))
    assert.equal(outcomes.length, 1, outcomes.join('\n'))
    assert.match(outcomes[0] ?? '', /^200 unavailable-timeout [\w-]{22}$/)
    assert.equal(backend.asked.length, 1)
  })

  test('parameters that players vary do not tell them apart', async (t) => {
    const { gate, backend, release } = await startHolding(t)
    const uris = ['?token=1', '?token=1&_HLS_msn=1', '?_HLS_skip=YES&token=1', '?token=1&CMCD=br%3D1']
    const asking = Promise.all(uris.map((query) => askGate(gate.port, { uri: `/live/index.m3u8${query}` })))
    await untilAsking(gate, uris.length)
    await release(1, 200)
    await asking
    assert.equal(backend.asked.length, 1)
  })
})
