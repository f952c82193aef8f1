import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gateHeaders } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { edgeSettings } from '../support/edges.ts'
import { startKeptGate } from '../support/kept-gate.ts'
import { openRawLine } from '../support/raw-line.ts'
import { startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

const ROUNDS = 3
const EACH = 2_000
const LINES = 16
/** Of the hits without a Valkey, in the middle of the rounds; the rest is the machine's. */
const LEAST = 0.7

test('hits are as many while Valkey is stopped', async (t) => {
  const backend = await startBackend(t)
  const valkey = await startValkey(t)
  const gates = [
    await startKeptGate(t, { ...edgeSettings(backend), ...storeOf(valkey) }),
    await startKeptGate(t, { ...edgeSettings(backend), STATE_URL: 'off' }),
  ]
  const lines = gates.map(({ environment }) =>
    Array.from({ length: LINES }, (_, n) => {
      const headers = gateHeaders({ userAgent: `hit-${n}` }).join('\r\n')
      const text = `GET /auth HTTP/1.1\r\nHost: alta-auth\r\n${headers}\r\n\r\n`
      const line = openRawLine(Number(environment['LISTEN']?.split(':').at(-1)), '127.0.0.1')
      t.after(line.close)
      return () => line.ask(text)
    }),
  )
  for (const asks of lines) for (const ask of asks) assert.equal(await ask(), '200')
  valkey.pause()
  t.after(() => valkey.goOn())
  await delay(500)
  const hits = async (asks: readonly (() => Promise<string>)[]): Promise<number> => {
    let answered = 0
    const end = performance.now() + EACH
    await Promise.all(
      asks.map(async (ask) => {
        while (performance.now() < end) {
          assert.equal(await ask(), '200')
          answered++
        }
      }),
    )
    return (answered * 1_000) / EACH
  }
  const shares: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [stopped, without] = [await hits(lines[0] ?? []), await hits(lines[1] ?? [])]
    shares.push(stopped / without)
    t.diagnostic(
      `${Math.round(stopped)} hits a second with Valkey in SIGSTOP, ${Math.round(without)} without a store`,
    )
  }
  const middle = shares.sort((a, b) => a - b)[1] ?? 0
  assert.ok(middle >= LEAST, `${middle.toFixed(2)} of them`)
})
