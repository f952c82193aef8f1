import assert from 'node:assert/strict'
import { Agent, get } from 'node:http'
import { test } from 'node:test'
import { accepts } from '../../support/accepts.ts'
import { gateHeaders } from '../../support/ask-gate.ts'
import { startBackend, status } from '../../support/backend.ts'
import { findFreePort } from '../../support/free-port.ts'
import { startMain } from '../../support/main-process.ts'
import { scrape } from '../../support/scrape.ts'
import { until } from '../../support/until.ts'

/**
 * MiB of old space that V8 may use: 16,000 queries of 8 KB would take a third more. To use others: HEAP=1024
 * QUERIES=72000 npm test -- ...
 */
const HEAP = Number(process.env['HEAP'] ?? 96)
const QUERIES = Number(process.env['QUERIES'] ?? 16_000)
/** The longest query that the gate accepts. */
const LONG = 'x'.repeat(8_100)
/** Questions of one address at once; its share is sixteen. */
const TOGETHER = 8
/** One viewer holds a thousand sessions at most, so the attacker changes the player now and then. */
const PER_PLAYER = 500
const VIEWERS = 50
/** The viewers ask for a segment each after so many queries. */
const EVERY = 1_000

/** Header lines as an object. */
function headersOf(request: Parameters<typeof gateHeaders>[0]): Record<string, string> {
  return Object.fromEntries(
    gateHeaders(request).map((line) => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
}

test('a gate with a small heap outlives 16,000 long queries of one valid token, and who plays meanwhile plays on', async (t) => {
  const backend = await startBackend(t)
  backend.answer = status(200)
  const [port, admin] = [await findFreePort(), await findFreePort()]
  const main = startMain(t, {
    BACKEND_URL: backend.url,
    ADMIN_LISTEN: `127.0.0.1:${admin}`,
    LISTEN: `127.0.0.1:${port}`,
    LOG_LEVEL: 'warn',
    ALLOW_TTL: 'session',
    NODE_OPTIONS: `--max-old-space-size=${HEAP}`,
  })
  await until('the gate to listen', () => accepts(port))
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER })
  t.after(() => agent.destroy())
  const ask = (request: Parameters<typeof gateHeaders>[0]): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/auth', agent, headers: headersOf(request) }, (response) => {
        response
          .resume()
          .on('end', () => resolve(response.headers))
          .on('error', reject)
      }).on('error', (error) =>
        reject(new Error(`the gate is gone: ${main.stderr().slice(-300)}`, { cause: error })),
      )
    })

  const viewer = (n: number) => ({ address: `198.51.100.${n}`, userAgent: 'player' })
  const sessions: unknown[] = []
  for (let n = 0; n < VIEWERS; n++) {
    const answer = await ask({ ...viewer(n), uri: '/live/one/index.m3u8?token=1' })
    sessions.push(answer['x-session-id'])
  }
  for (let sent = 0; sent < QUERIES; ) {
    const batch = Array.from({ length: TOGETHER }, async () => {
      const n = sent++
      const uri = `/live/one/index.m3u8?token=1&n=${n}${LONG.slice(String(n).length)}`
      await ask({ address: '192.0.2.1', userAgent: `player ${Math.floor(n / PER_PLAYER)}`, uri })
    })
    await Promise.all(batch)
    if (sent % EVERY >= TOGETHER) continue
    for (let n = 0; n < VIEWERS; n++) {
      const answer = await ask({ ...viewer(n), uri: `/live/one/${sent}.ts` })
      assert.deepEqual([answer['x-auth-reason'], answer['x-session-id']], ['riding', sessions[n]])
    }
  }
  const scraped = await scrape(admin)
  const [held, bytes, resident] = [
    scraped.value('alta_auth_sessions', { kind: 'live' }),
    scraped.value('alta_auth_session_bytes', { kind: 'live' }),
    scraped.value('process_resident_memory_bytes'),
  ].map((figure) => Math.round(figure))
  const megabytes = (figure = 0): string => `${Math.round(figure / 1_048_576)} MiB`
  t.diagnostic(`${held} sessions held, by our estimate ${megabytes(bytes)}; ${megabytes(resident)} resident`)
})
