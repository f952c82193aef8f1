import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { startBackend } from '../../support/backend.ts'
import { edgeSettings } from '../../support/edges.ts'
import { type KeptGate, startKeptGate } from '../../support/kept-gate.ts'
import { timesOf } from '../../support/newcomers.ts'
import { createOneTimeTokens } from '../../support/one-time-tokens.ts'
import { patientTest } from '../../support/patient-test.ts'
import { forSuite } from '../../support/scope.ts'
import { startValkey } from '../../support/valkey.ts'
import { storeOf } from '../../support/valkey-settings-of.ts'

/** So many that the p99 is not the slowest one. */
const CLOSINGS = 100
/** The first ones do not count: code is compiled, connections are opened. */
const WARM_UP = 5
/** Milliseconds within which a closing is known at all gates, in 99 of 100 cases: a heartbeat and its way. */
const KNOWN = 350

describe('a closing at one gate', () => {
  const site = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    const tokens = createOneTimeTokens()
    backend.answer = tokens.answer
    const settings = { ...edgeSettings(backend), ...storeOf(await startValkey(scope)), STATE_TIMEOUT: '1s' }
    const gates = await Promise.all([startKeptGate(scope, settings), startKeptGate(scope, settings)])
    return { tokens, gates }
  })

  for (const [how, close] of [
    ['of a session', (session: string) => `DELETE /sessions/${session}`],
    ['of a user', (_session: string, user: string) => `DELETE /sessions?user=${user}`],
  ] as const)
    patientTest(`${how} is known at the other within ${KNOWN} ms, ${CLOSINGS} times`, async (t) => {
      const [one, other] = site.gates as [KeptGate, KeptGate]
      const took: number[] = []
      // What the machine adds.
      const plain: number[] = []
      for (let n = 0; n < CLOSINGS + WARM_UP; n++) {
        const user = `${how.replaceAll(' ', '-')}-${n}`
        const question = { uri: `/live/one/index.m3u8?token=${site.tokens.issue(user)}`, userAgent: user }
        const { sessionId } = await one.ask(question)
        assert.equal((await untilAdopted(other, question)).sessionId, sessionId)
        const began = performance.now()
        const closing = one.admin(close(sessionId, user))
        while ((await other.ask(question)).status === 200) {}
        const known = performance.now()
        took.push(known - began)
        assert.ok((await closing).status < 300)
        const asked = performance.now()
        assert.equal((await one.ask(question)).status, 403)
        plain.push(performance.now() - asked)
      }
      const { p50, p99, max } = timesOf(took.slice(WARM_UP))
      t.diagnostic(
        `known after ${[p50, p99, max].map((one) => one.toFixed(1)).join(' / ')} ms (median, p99, max)`,
      )
      assert.ok(p99 <= KNOWN + 3 * timesOf(plain.slice(WARM_UP)).p99, `${p99} ms`)
    })

  /** It is written behind. */
  async function untilAdopted(gate: KeptGate, question: Parameters<KeptGate['ask']>[0]) {
    for (let tries = 0; ; tries++) {
      const answer = await gate.ask({ ...question, uri: '/live/one/1.ts' })
      if (answer.status === 200 || tries === 100) return answer
    }
  }
})
