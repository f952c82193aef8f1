import assert from 'node:assert/strict'
import fc from 'fast-check'
import { playsOf } from '../../src/limit/plays.ts'
import { timesOf } from '../../src/limit/user.ts'
import type { LimitedViewer } from './limited-gate.ts'
import { createSharedGates } from './shared-gates.ts'

const acts = [
  ...['nothing', 'open', 'open', 'open', 'open', 'back', 'silent', 'silent', 'closed', 'denied'],
  ...['forget', 'away', 'away', 'near', 'near', 'lost answer', 'unheard'],
] as const

/** Something happens at a gate, and then time passes. */
interface Step {
  readonly act: (typeof acts)[number]
  readonly viewer: number
  readonly channel: number
  /** Milliseconds. */
  readonly wait: number
}

export interface SharedHistory {
  readonly gates: number
  readonly max: number
  readonly policy: 'newest' | 'refuse'
  readonly seed: number
  readonly steps: readonly Step[]
}

const VIEWERS = 6
const CHANNELS = ['news', 'sports', 'film']
const WAITS = [0, 0, 0, 100, 2_000, 2_000, 10_000, 10_000, 35_000, 125_000]
/** A segment each so many milliseconds. */
const EVERY = 2_000
const REPORT = 30_000
const TIMES = timesOf({ idle: 120_000, report: REPORT, gate: '', unseen: 0, isReport: false }, [])

export const sharedHistories: fc.Arbitrary<SharedHistory> = fc.record({
  gates: fc.integer({ min: 2, max: 3 }),
  max: fc.integer({ min: 1, max: 3 }),
  policy: fc.constantFrom('newest', 'refuse'),
  seed: fc.nat(1_000_000),
  steps: fc.array(
    fc.record({
      act: fc.constantFrom(...acts),
      viewer: fc.nat(VIEWERS - 1),
      channel: fc.nat(CHANNELS.length - 1),
      wait: fc.constantFrom(...WAITS),
    }),
    { minLength: 10, maxLength: 25 },
  ),
})

export function tellSharedHistory({ steps, ...about }: SharedHistory): string {
  const lines = steps.map(
    ({ act, viewer, channel, wait }) =>
      `viewer ${viewer} (gate ${viewer % about.gates}) ${act} ${CHANNELS[channel]}, ${wait} ms`,
  )
  return [JSON.stringify(about), ...lines].join('\n')
}

/** Plays it, lets all that plays go on until the gates must agree, and compares. */
export async function playSharedHistory({ gates: count, max, policy, seed, steps }: SharedHistory) {
  const grant = { userId: '42', maxSessions: `${max}` }
  const gates = createSharedGates({
    ...{ gates: count, seed, grant, step: EVERY },
    limit: { sessionLimit: policy },
  })
  /** What each viewer plays; a viewer stays at one gate. */
  const playing = new Map<number, Set<string>>()
  const viewers: LimitedViewer[] = []
  const gateOf = (viewer: number) => {
    const gate = gates.all[viewer % count]
    assert.ok(gate !== undefined)
    return gate
  }
  for (let n = 0; n < VIEWERS; n++) {
    playing.set(n, new Set())
    viewers.push(gateOf(n).viewer(`box-${n}`, `192.0.2.${n}`))
  }
  const isIn = (answer: string | undefined): boolean => answer?.startsWith('allow') === true

  const request = async (viewer: number, channel: string): Promise<void> => {
    if (!isIn(await viewers[viewer]?.segment(channel))) playing.get(viewer)?.delete(channel)
  }
  const goOn = async (): Promise<void> => {
    for (const [viewer, channels] of playing)
      for (const channel of [...channels]) await request(viewer, channel)
  }
  const opening = new Set<Promise<void>>()
  const open = async (viewer: number, channel: string, token?: string): Promise<void> => {
    // Who zaps stops where they were.
    playing.get(viewer)?.clear()
    if (isIn(await viewers[viewer]?.open(channel, token))) playing.get(viewer)?.add(channel)
  }
  const pass = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= EVERY) {
      await gates.pass(Math.min(left, EVERY))
      await Promise.all(opening)
      await goOn()
    }
  }
  let opened = 0
  for (const { act, viewer, channel: at, wait } of steps) {
    const gate = gateOf(viewer)
    const channel = CHANNELS[at] ?? ''
    switch (act) {
      case 'open':
      case 'back': {
        // Nobody waits for it: others may open meanwhile.
        const done = open(viewer, channel, act === 'open' ? `good-${opened++}` : undefined)
        opening.add(done)
        void done.finally(() => opening.delete(done))
        break
      }
      case 'silent':
        playing.get(viewer)?.clear()
        break
      case 'closed':
      case 'denied': {
        const [one] = gate.sessions.all()
        if (one !== undefined) gate.sessions.end(one, act)
        break
      }
      case 'forget':
        gates.values.forget()
        break
      case 'away':
      case 'near':
        gate.connection.reaches(act === 'near')
        break
      case 'lost answer':
        gate.connection.loseAnswers(1)
        break
      case 'unheard':
        gate.heard(at === 0)
        break
      case 'nothing':
    }
    await pass(wait)
  }
  for (const { connection, heard } of gates.all) {
    connection.reaches(true)
    connection.loseAnswers(0)
    heard(true)
  }
  await pass(TIMES.stay + 2 * REPORT + EVERY)

  const plays = [...playing].flatMap(([viewer, channels]) => [...channels].map((one) => `${viewer} ${one}`))
  assert.ok(plays.length <= max, `${plays.join(', ')} go on`)
  const user = gates.user()
  const sessions = gates.sessions()
  const inTables = new Map(sessions.map((session) => [session.id, session]))
  const counted = playsOf(user, gates.now(), TIMES).filter(({ isSilent }) => !isSilent)
  for (const { entries } of counted)
    assert.ok(
      entries.some(({ id }) => inTables.has(id)),
      `${entries[0]?.id} counts, and no gate has it`,
    )
  const known = new Set(user.entries.map(({ id }) => id))
  for (const gate of gates.all)
    for (const session of gate.sessions.all())
      if (gate.now() - session.lastSeen <= EVERY)
        assert.ok(known.has(session.id), `${session.id} plays, and counts nowhere`)
}
