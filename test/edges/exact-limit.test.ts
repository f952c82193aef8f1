import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBackend } from '../support/backend.ts'
import { edgeSettings } from '../support/edges.ts'
import { type KeptGate, startKeptGate } from '../support/kept-gate.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

const ROUNDS = process.env['TEST_LONG'] === '1' ? 200 : 40
const OPENINGS = 16

test(`${OPENINGS} openings of one user at once over two gates leave exactly as many as are allowed, ${ROUNDS} times`, async (t) => {
  const backend = await startBackend(t)
  const tokens = createOneTimeTokens()
  backend.answer = tokens.answer
  // A busy machine is no store that is away.
  const settings = { ...edgeSettings(backend), ...storeOf(await startValkey(t)), STATE_TIMEOUT: '1s' }
  const gates = await Promise.all([startKeptGate(t, settings), startKeptGate(t, settings)])
  for (let round = 0; round < ROUNDS; round++) {
    const user = `user-${round}`
    const most = 1 + (round % 3)
    const boxes = Array.from({ length: OPENINGS }, (_, n) => ({
      gate: gates[n % 2] as KeptGate,
      userAgent: `${user}-${n}`,
      uri: `/live/one/index.m3u8?token=${tokens.issue(user, most)}`,
    }))
    const opened = await Promise.all(boxes.map(({ gate, ...question }) => gate.ask(question)))
    // Who is displaced before their own answer is on its way gets no other one.
    for (const { status, reason } of opened) assert.ok(status === 200 || reason === 'session-limit', reason)
    const playing = async (): Promise<number> => {
      const uri = '/live/one/1.ts'
      const answers = await Promise.all(boxes.map(({ gate, userAgent }) => gate.ask({ uri, userAgent })))
      return answers.filter(({ status }) => status === 200).length
    }
    // Who is displaced by the other gate hears of it a moment later.
    let count = await playing()
    for (let tries = 0; count !== most && tries < 50; tries++) {
      await delay(20)
      count = await playing()
    }
    assert.equal(count, most, user)
    assert.equal(await playing(), most, user)
  }
})
