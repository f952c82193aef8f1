import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createGateServer, inShortTurns } from '../../src/gate/server.ts'
import { listenOnLoopback } from '../support/listen-on-loopback.ts'
import { until } from '../support/until.ts'

test('a new connection waits for a few subrequests, however many are ready', async (t) => {
  const [BUSY, NEW, FEW] = [200, 30, 16]
  let answered = 0
  const server = createGateServer(
    (_request, response) => {
      answered++
      response.writeHead(200, { 'Content-Length': '0' }).end()
    },
    () => assert.fail('refused'),
  )
  const { port } = await listenOnLoopback(t, server)
  let answeredBefore = 0
  const accepted: number[] = []
  server.on('connection', () => {
    accepted.push(answered - answeredBefore)
    answeredBefore = answered
  })
  const askOn = (): void => {
    const socket = connect(port, '127.0.0.1')
    const ask = (): void => void socket.write('GET /auth HTTP/1.1\r\n\r\n')
    socket
      .on('connect', ask)
      .on('data', ask)
      .on('error', () => {})
  }
  for (let n = 0; n < BUSY; n++) askOn()
  await until('all to be busy', () => accepted.length === BUSY && answered > 10 * BUSY)
  for (let n = 0; n < NEW; n++) askOn()
  await until('the new ones to be accepted', () => accepted.length === BUSY + NEW)
  // The first question also counts what was answered before anybody was new.
  const waited = accepted.slice(BUSY + 1)
  assert.ok(Math.max(...waited) <= FEW, `${waited}`)
})

test('all others are answered in the turns that follow, in their order, but for what nginx has given up', async () => {
  const answered: number[] = []
  const { answer, accepted } = inShortTurns((request) => void answered.push(Number(request.url)))
  accepted()
  const numbers = Array.from({ length: 100 }, (_, n) => n)
  const isGivenUp = (n: number): boolean => n >= 20 && n < 40
  for (const n of numbers)
    answer({ url: String(n) } as IncomingMessage, { destroyed: isGivenUp(n) } as ServerResponse)
  const wanted = numbers.filter((n) => !isGivenUp(n))
  for (let turn = 0; answered.length < wanted.length && turn < 100; turn++) await setImmediate()
  assert.deepEqual(answered, wanted)
})
