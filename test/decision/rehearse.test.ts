import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findSession } from '../../src/decision/find-session.ts'
import type { Session } from '../../src/session/session.ts'
import type { Outcome } from '../../src/verdict.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  settled,
  unavailable,
} from '../support/pretend-gate.ts'
import { rounds } from '../support/rounds.ts'

const HISTORIES = rounds(40, 300)

const targets = [
  '/live/one/index.m3u8?token=X',
  '/live/one/index.m3u8?token=Y',
  '/live/one/index.m3u8',
  '/live/one/1.ts',
  '/live/one/2.ts?token=X',
  '/live/two/index.m3u8?token=X',
  '/live/two/1.ts',
  '/vod/film.mp4?token=X',
  '/index.m3u8?token=X',
]
const moods: readonly (() => Outcome)[] = [allow, () => allow('30'), deny, unavailable]

const step = fc.oneof(
  fc.record({ target: fc.constantFrom(...targets), viewer: fc.constantFrom('a', 'b') }),
  fc.record({ mood: fc.constantFrom(...moods) }),
  fc.record({ pass: fc.constantFrom(100, 2_500, 6_000, 61_000, 125_000, 3_700_000) }),
)
type Step =
  | { readonly target: string; readonly viewer: string }
  | { readonly mood: () => Outcome }
  | { readonly pass: number }
  | { readonly next: 'restart' | 'crash' }

/** One viewer, and silences that a session may outlive. */
const stepOrNext = fc.oneof(
  { arbitrary: fc.record({ target: fc.constantFrom(...targets), viewer: fc.constant('a') }), weight: 4 },
  { arbitrary: fc.record({ mood: fc.constantFrom(...moods) }), weight: 1 },
  { arbitrary: fc.record({ pass: fc.constantFrom(2_500, 61_000, 125_000, 125_000, 600_000) }), weight: 2 },
  { arbitrary: fc.record({ next: fc.constantFrom('restart' as const, 'crash' as const) }), weight: 1 },
)

/** All that a decision changes. */
function stateOf(gate: PretendGate): unknown {
  const describeOne = ({ older, lessRecent, moreRecent, ...rest }: Session) => ({
    ...rest,
    links: [older?.id, lessRecent?.id, moreRecent?.id],
  })
  return {
    sessions: [...gate.sessions.all()].map(describeOne),
    provisional: [...gate.provisional.all()].map(describeOne),
    denied: gate.denials.count(),
    asked: gate.asked.length,
    made: gate.made.length,
    events: gate.events.length,
    kept: gate.place.calls.filter((call) => !/^(?:list|read|former|marksOf|viewersOf)/.test(call)),
    waiting: gate.stored.waiting(),
  }
}

describe('a rehearsal', () => {
  for (const [defaultAction, store] of [
    ['allow', false],
    ['deny', false],
    ['deny', true],
  ] as const) {
    const across = store ? ', across restarts and crashes' : ''
    test(`says what is then decided, and changes nothing; DEFAULT_ACTION=${defaultAction}, ${HISTORIES} histories${across}`, async () => {
      const reached = new Set<string>()
      await fc.assert(
        fc.asyncProperty(
          fc.array<Step>(store ? stepOrNext : step, { minLength: 1, maxLength: 25 }),
          async (steps) => {
            const gate = createPretendGate({
              defaultAction,
              lifetimes: { allow: 60_000 },
              idle: 120_000,
              store,
            })
            // A store is open then.
            await settled()
            for (const one of steps) {
              if ('mood' in one) gate.answers(one.mood)
              else if ('next' in one) await (store && gate[one.next]())
              else if ('pass' in one) {
                gate.pass(one.pass)
                await settled()
              } else {
                const asked = clientRequest(one.target, { userAgent: one.viewer })
                const before = stateOf(gate)
                const rehearsal = await gate.rehearse(asked)
                assert.deepEqual(stateOf(gate), before)
                const { verdict, source, reason, holdsFor, cacheable } = rehearsal.decision
                const made = gate.made.length
                const decision = await gate.decide(asked)
                await settled()
                // What a session of the store answers is told beside what a backend was asked.
                const [first] = gate.made.slice(made).filter(({ occasion }) => occasion !== 'return')
                assert.deepEqual(
                  { verdict, source, reason, holdsFor, cacheable },
                  {
                    verdict: decision.verdict,
                    source: decision.source,
                    reason: decision.reason,
                    holdsFor: decision.holdsFor,
                    cacheable: decision.cacheable,
                  },
                )
                assert.equal(rehearsal.made?.decision.reason, first?.decision.reason)
                assert.equal(rehearsal.made?.occasion, first?.occasion)
                reached.add(`${source} ${reason}`)
              }
            }
          },
        ),
        // With this seed even the fewer histories reach all the ways below.
        { numRuns: HISTORIES, seed: 11 },
      )
      for (const way of [
        'backend backend-200',
        'backend backend-403',
        'session riding',
        'session remembered',
      ])
        assert.ok(reached.has(way), way)
      assert.ok(reached.has('stale unavailable-timeout') && reached.has('default unavailable-timeout'))
      for (const way of ['session adopted', 'session resumed']) assert.equal(reached.has(way), store, way)
    })
  }

  test('keeps a session that is past its time in an outage, and does not find it', async () => {
    const gate = createPretendGate()
    gate.answers(() => allow())
    await gate.decide(clientRequest(targets[0] ?? ''))
    gate.answers(unavailable)
    gate.pass(70_000)
    await gate.decide(clientRequest(targets[3] ?? ''))
    await settled()
    for (let minutes = 0; minutes < 62; minutes++) {
      gate.pass(60_000)
      if (minutes < 60) await gate.decide(clientRequest(targets[3] ?? ''))
      await settled()
    }
    const before = gate.sessions.count()
    const { session } = await gate.rehearse(clientRequest(targets[3] ?? ''))
    assert.equal(gate.sessions.count(), before)
    const identity = gate.identify(clientRequest(targets[3] ?? ''))
    assert.equal(session?.id, findSession({ ...gate, outage: gate.outage }, identity, gate.now())?.id)
  })

  test('of a backend that answers again tells nobody that the outage is over', async () => {
    const gate = createPretendGate()
    const [playlist = '', , , segment = ''] = targets
    await gate.decide(clientRequest(playlist))
    gate.answers(unavailable)
    gate.pass(70_000)
    await gate.decide(clientRequest(segment))
    await settled()
    gate.answers(() => allow())
    gate.pass(100)
    const { decision } = await gate.rehearse(clientRequest(playlist, { userAgent: 'stranger' }))
    assert.equal(decision.reason, 'backend-200')
    gate.pass(4_000)
    const asked = gate.asked.length
    await gate.decide(clientRequest(segment))
    assert.equal(gate.asked.length, asked)
  })
})
