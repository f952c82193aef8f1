import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DecisionMade } from '../../src/decision/decide.ts'
import { createDecisionLog, type DecisionLog } from '../../src/log/decision-log.ts'
import type { Decision } from '../../src/verdict.ts'
import { startAdminGate } from '../support/admin-gate.ts'
import { startBackend } from '../support/backend.ts'
import { openGateLines } from '../support/gate-lines.ts'
import { clientRequest } from '../support/pretend-gate.ts'

type Line = Readonly<Record<string, unknown>>

/** Besides the lines of one second there may be one line that says how many were left out. */
const MOST_IN_A_SECOND = 101

function made(occasion: DecisionMade['occasion'], decision: Partial<Decision>): DecisionMade {
  const denied = { verdict: 'deny', source: 'gate', reason: 'too-many-questions' } as const
  const rest = { sessionId: '', userId: '', holdsFor: 0, cacheable: false }
  const subrequest = clientRequest('/live/1.ts')
  return { subrequest, decision: { ...denied, ...rest, ...decision }, backend: '', occasion, took: 0 }
}

const unavailable = (reason: Decision['reason'], verdict: Decision['verdict'] = 'deny'): DecisionMade =>
  made('question', { verdict, source: 'default', reason })

/** A decision log with a pretend clock that starts at 0. */
function createLog() {
  let now = 0
  const lines: Line[] = []
  const write = (message: string, fields = {}): void => void lines.push({ message, ...fields })
  const decisions = createDecisionLog(
    { error: write, warn: write, info: write, debug: write, debugs: false },
    () => now,
    String,
  )
  const pass = (milliseconds: number): void => {
    now += milliseconds
  }
  return { decisions, lines, pass }
}

/** The number of decisions in the lines, including those that were left out. */
const toldBy = (lines: readonly Line[]): number =>
  lines.reduce((sum, { skipped }) => sum + 1 + Number(skipped ?? 0), 0)

const floods: Readonly<Record<string, (log: DecisionLog) => void>> = {
  'requests that cannot be read': (log) => log.refused('control bytes in the path'),
  'questions above the share of an address': (log) => log.made(made('refusal', {})),
  'questions that the breaker keeps back': (log) => log.made(unavailable('unavailable-breaker')),
  'questions without a place': (log) => log.made(unavailable('unavailable-overload')),
}

for (const [what, refuse] of Object.entries(floods)) {
  describe(`a flood of ${what}`, () => {
    test('writes a hundred lines a second, and no number is lost', (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const { decisions, lines, pass } = createLog()
      for (let second = 1; second <= 5; second++) {
        const before = lines.length
        for (let n = 0; n < 5_000; n++) refuse(decisions)
        assert.ok(lines.length - before <= MOST_IN_A_SECOND, `${lines.length - before} lines`)
        pass(1_000)
        t.mock.timers.tick(1_000)
        assert.equal(toldBy(lines), second * 5_000, 'told a second later, though nothing follows')
      }
      assert.ok(lines.every((line) => line['verdict'] === 'deny'))
    })

    test('tells what was left out when the gate ends, once', () => {
      const { decisions, lines } = createLog()
      for (let n = 0; n < 350; n++) refuse(decisions)
      decisions.end()
      assert.equal(toldBy(lines), 350)
      decisions.end()
      assert.equal(lines.length, MOST_IN_A_SECOND)
    })
  })
}

test('a flood of one kind hides no line of another', () => {
  const { decisions, lines } = createLog()
  for (let n = 0; n < 350; n++) decisions.refused('control bytes in the path')
  decisions.made(made('refusal', {}))
  decisions.made(unavailable('unavailable-breaker'))
  const reasons = lines.slice(-2).map(({ reason }) => reason)
  assert.deepEqual(reasons, ['too-many-questions', 'unavailable-breaker'])
})

test('what a backend was asked and whom the default action lets in have a line each', () => {
  const { decisions, lines } = createLog()
  for (let n = 0; n < 500; n++) {
    decisions.made(made('question', { source: 'backend', reason: 'backend-403' }))
    decisions.made(unavailable('unavailable-breaker', 'allow'))
  }
  assert.equal(lines.length, 1_000)
})

test('a thousand refusals from one address: few lines, all of them told, and the last hundred denials are there', async (t) => {
  const { port: backendPort } = await startBackend(t)
  const { gate, admin } = await startAdminGate(t, { BACKEND_URL: `http://127.0.0.1:${backendPort}` })
  const ask = openGateLines(t, gate.port)
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, () => ask({ uri: `/live/index.m3u8?${'&'.repeat(600)}` })),
  )
  assert.ok(answers.every(({ status }) => status === 403))
  const { denials } = (await admin('GET /denials')).json as { denials: { denial: number }[] }
  assert.deepEqual(
    denials.map(({ denial }) => denial),
    Array.from({ length: 100 }, (_, n) => 1_000 - n),
  )
  await gate.service.stop()
  const lines = gate.log.filter(({ message }) => message === 'refused')
  assert.ok(lines.length < 1_000, 'some are left out')
  assert.equal(toldBy(lines), 1_000)
})
