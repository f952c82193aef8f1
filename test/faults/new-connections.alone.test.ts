import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import { createGateServer, inShortTurns } from '../../src/gate/server.ts'
import { startBackend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { startChild } from '../support/child.ts'
import { startGateProcess } from '../support/gate-process.ts'
import { get } from '../support/http-get.ts'
import { listenOnLoopback } from '../support/listen-on-loopback.ts'
import { startNginx } from '../support/nginx.ts'
import { patientTest } from '../support/patient-test.ts'
import { startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'

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

test('300 requests at a time through nginx need few connections to the gate', async (t) => {
  const [TOGETHER, EACH] = [300, 15]
  const { nginx, gate } = await startSite(t)
  let connections = 0
  gate.service.gateServer.on('connection', () => connections++)
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER })
  t.after(() => agent.destroy())
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (let n = 0; n < EACH; n++) {
        const { status } = await get({ port: nginx.port, agent }, '/index.m3u8?token=1')
        assert.equal(status, 200)
      }
    }),
  )
  assert.ok(connections <= TOGETHER, `${connections} connections for ${TOGETHER * EACH} requests`)
})

/**
 * The longest wait of a viewer whose connection is new to the gate, as a multiple of the flood's own wait.
 */
const PATIENCE = 15

/** Bad tokens, all different, from one address and with 50 User-Agents. */
const badTokens = `
local n = 0
request = function()
  n = n + 1
  wrk.headers["User-Agent"] = "guesser-" .. n % 50
  return wrk.format("GET", "/live/one/index.m3u8?token=bad-" .. n)
end`

for (const together of [300, 1_000]) {
  patientTest(`beside ${together} bad tokens at a time nobody of 60 who play is refused`, async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    const { port } = await startGateProcess(t, { BACKEND_URL: backend.url })
    const nginx = await startNginx(t, { gates: [`127.0.0.1:${port}`], files: channelFiles(['one'], 1) })
    const viewers = Array.from({ length: 60 }, (_, n) => createViewer(t, nginx, { from: `127.0.2.${n + 1}` }))
    for (const { get } of viewers) assert.equal(await get('/live/one/index.m3u8?token=good'), 200)

    const script = join(makeTemporaryFolder(t), 'bad-tokens.lua')
    writeFileSync(script, badTokens)
    const wrk = ['-t1', `-c${together}`, '-d4s', '--timeout', '20s', '-s', script, nginx.url]
    const flood = startChild(t, 'wrk', wrk)
    await delay(1_000)
    const took: number[] = []
    const segment = async (get: Viewer['get']): Promise<void> => {
      const began = performance.now()
      assert.equal(await get('/live/one/0.ts'), 200)
      took.push(performance.now() - began)
    }
    for (let round = 0; round < 4; round++) {
      await Promise.all(viewers.map(({ get }) => segment(get)))
      await delay(500)
    }
    assert.equal(await flood.exited, 0, flood.output())
    const p99 = took.sort((one, other) => one - other)[Math.floor(took.length * 0.99)] ?? 0
    // The speed of the machine: how long the requests of the flood wait for their answers.
    const usual = (together / Number(/Requests\/sec: +([\d.]+)/.exec(flood.output())?.[1])) * 1_000
    const figures = `p99 of ${took.length} segments ${Math.round(p99)} ms, of the flood ${Math.round(usual)} ms on average`
    t.diagnostic(figures)
    assert.ok(p99 < PATIENCE * usual, figures)
  })
}
