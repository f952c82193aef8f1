import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBackendHealth } from '../../src/backend/backend-health.ts'
import { createBreaker } from '../../src/backend/breaker.ts'
import type { Decision, Verdict } from '../../src/verdict.ts'
import { clientRequest, createPretendGate, settled, tokens, unavailable } from '../support/pretend-gate.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Everybody asks for something this often. */
const STEP = 100
/** Real verdicts are back within this time. */
const RECOVERY = 5 * SECOND

const verdicts: readonly Verdict[] = ['allow', 'deny']
const opposite = (verdict: Verdict): Verdict => (verdict === 'allow' ? 'deny' : 'allow')

/** A gate with breaker, line and health before a backend that is up or down, all on the pretend clock. */
function startFlapping(defaultAction: Verdict) {
  const gate = createPretendGate({ defaultAction, lifetimes: { allow: SECOND, deny: SECOND, default: 500 } })
  const clock = gate.now
  const lines: string[] = []
  const note = (message: string): void => void lines.push(message)
  const health = createBackendHealth({
    backend: 'pretend',
    log: { debug: note, info: note, warn: note, error: note, debugs: false },
    clock,
    byDefault: () => ({ letIn: 0, refused: 0 }),
  })
  const breaker = createBreaker(clock)
  let isUp = true
  gate.answers((subrequest) => {
    if (!breaker.admits()) return unavailable()
    const outcome = isUp ? tokens('X')(subrequest) : unavailable()
    const { address } = subrequest
    if (isUp) breaker.succeeded()
    else breaker.failed({ client: address, network: address })
    health.note(outcome)
    return outcome
  })
  return {
    gate,
    lines,
    breaker,
    turn(up: boolean) {
      isUp = up
    },
    async ask(address: string, token: string): Promise<Decision> {
      const decision = await gate.decide(clientRequest(`/live/index.m3u8?token=${token}`, { address }))
      await settled()
      return decision
    },
  }
}

for (const defaultAction of verdicts) {
  describe(`a backend that flaps every second for a minute, DEFAULT_ACTION=${defaultAction}`, () => {
    test('known verdicts are kept, unknown viewers get a real one or the default, each change of state is one line', async (t) => {
      const { ask, gate, lines, turn, breaker } = startFlapping(defaultAction)
      await ask('192.0.2.1', 'X')
      await ask('192.0.2.2', 'bad')
      const wrong = defaultAction === 'allow' ? 'bad' : 'X'
      let strangers = 0
      const came = { real: 0, default: 0, opened: 0 }
      const step = async (up: boolean): Promise<void> => {
        turn(up)
        gate.pass(STEP)
        assert.equal((await ask('192.0.2.1', 'X')).verdict, 'allow', `at ${gate.now()} ms`)
        assert.equal((await ask('192.0.2.2', 'bad')).verdict, 'deny', `at ${gate.now()} ms`)
        strangers++
        const stranger = `10.0.${strangers >> 8}.${strangers & 255}`
        const { verdict, source, reason } = await ask(stranger, wrong)
        const isDefault = source === 'default'
        assert.equal(verdict, isDefault ? defaultAction : opposite(defaultAction), `${source} ${reason}`)
        came[isDefault ? 'default' : 'real']++
        if (breaker.state().kind !== 'closed') came.opened++
      }
      for (let passed = 0; passed < MINUTE; passed += STEP) await step(Math.floor(passed / SECOND) % 2 === 0)
      t.diagnostic(JSON.stringify(came))
      assert.ok(came.real > 50 && came.default > 200 && came.opened > 0, JSON.stringify(came))
      assert.ok(lines.length <= MINUTE / SECOND)
      for (const [n, line] of lines.entries())
        assert.equal(line, n % 2 === 0 ? 'backend unavailable' : 'backend available again')

      for (let passed = 0; passed < RECOVERY; passed += STEP) await step(true)
      const before = came.real
      await step(true)
      assert.equal(came.real, before + 1, 'a stranger gets a real verdict')
      assert.equal(lines.at(-1), 'backend available again')
      assert.equal(breaker.state().kind, 'closed')
    })
  })
}
