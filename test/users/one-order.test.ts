import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { admit } from '../../src/limit/admit.ts'
import { look } from '../../src/limit/look.ts'
import { timesOf } from '../../src/limit/times.ts'
import { leave, movedBy, nobody, type User, withTerms } from '../../src/limit/user.ts'
import { createSharedStates } from '../../src/users/shared-states.ts'
import type { Rule, UserStates } from '../../src/users/user-states.ts'
import { createUserTable } from '../../src/users/user-table.ts'
import { textOfUser } from '../../src/users/user-text.ts'
import { SHIPPED, session } from '../support/pretend-user.ts'
import { createPretendUserValues, type PretendConnection } from '../support/pretend-user-values.ts'

/** To run other histories, and more: HISTORIES=10000 npm test -- test/users/one-order.test.ts */
const { HISTORIES } = process.env
const RUNS = HISTORIES === undefined ? { numRuns: 200, seed: 20_261_128 } : { numRuns: Number(HISTORIES) }
const times = timesOf({ ...SHIPPED, report: 30_000 })
const DEVICES = ['tv@home', 'phone@home', 'box@away', 'tv@away']
const PLACES = ['news', 'sports', '/live/', '/live/video/']

/** One call of the rules, as plain data. Times are those of the store. */
interface Call {
  readonly what: 'admit' | 'adopt' | 'look' | 'leave' | 'close' | 'terms' | 'nothing'
  readonly device: number
  readonly place: number
  readonly max: number
}

/** The pure rules, at a time of the store. */
function apply(user: User, now: number, { what, device, place, max }: Call): User {
  const one = session(DEVICES[device] ?? '', PLACES[place] ?? '')
  const terms = { max, policy: 'newest' } as const
  const seen = user.entries.filter(({ viewer }) => viewer === one.viewer).map(({ id }) => ({ id, seen: now }))
  switch (what) {
    case 'admit':
      return admit(user, now, one, terms, times).user
    case 'adopt':
      return admit(user, now, one, terms, times, { entered: now - 5_000, seen: now - 100 }).user
    case 'look':
      return look(user, now, seen, times).user
    case 'leave':
      return leave(user, now, one.id, 'idle', times)
    case 'close':
      return leave(user, now, one.id, 'closed', times)
    case 'terms':
      return withTerms(user, terms)
    case 'nothing':
      return user
  }
}

const steps = fc.array(
  fc.record({
    gate: fc.nat(2),
    call: fc.record({
      what: fc.constantFrom<Call['what'][]>(
        ...([
          'admit',
          'admit',
          'admit',
          'adopt',
          'look',
          'look',
          'leave',
          'close',
          'terms',
          'nothing',
        ] as const),
      ),
      device: fc.nat(DEVICES.length - 1),
      place: fc.nat(PLACES.length - 1),
      max: fc.integer({ min: 1, max: 3 }),
    }),
    trouble: fc.constantFrom(...Array(12).fill('none'), 'forget', 'away', 'near', 'near', 'lost answer'),
    wait: fc.constantFrom(0, 0, 0, 0, 500, 20_000, 70_000),
  }),
  { minLength: 10, maxLength: 40 },
)

/** A call of the rules on a user in the time of the store. */
type Made = (user: User) => User

test('what gates reach together is what the rules give for the same calls one after another', async () => {
  let written = 0
  let crossed = 0
  const property = fc.asyncProperty(fc.nat(1_000_000), steps, async (seed, history) => {
    let now = 1_000_000_000
    /** All that counts, in the order in which it came into the store. */
    let order: Made[] = []
    const gates = new Map<unknown, Gate>()
    const values = createPretendUserValues(
      seed,
      () => now,
      (by, text) => {
        const gate = gates.get(by)
        assert.ok(gate !== undefined)
        written++
        if (order.length > 0 && gate.last !== order.length) crossed++
        order.push(...gate.sent)
        gate.last = order.length
        const expected = order.reduce((user, made) => made(user), nobody)
        assert.equal(text, textOfUser(expected, 0))
      },
    )
    const createGate = (n: number): Gate => {
      const connection = values.connect()
      const users = createUserTable()
      // Each gate has a clock of its own.
      const offset = 900_000_000 + n * 1_000
      /** Calls since the last answer, made alone; and what they gave. */
      let alone: Made[] = []
      let aloneUser: User | undefined
      let tried: Made[] = []
      let from: User | undefined
      const rule =
        (call: Call): Rule<null> =>
        (user, at) => {
          if (tried.length === 0) from = user
          tried.push((there) => apply(there, at + offset, call))
          return { user: apply(user, at, call), said: null }
        }
      /** What it has displaced alone is told with the next call. */
      const recorded = new WeakSet<Rule<unknown>>()
      const record = (again: Rule<unknown>): Rule<unknown> => {
        if (recorded.has(again)) return again
        const recording: Rule<unknown> = (user, at, known) => {
          if (tried.length === 0) from = user
          tried.push((there) => movedBy(again(movedBy(there, -offset), at, known).user, offset))
          return again(user, at, known)
        }
        recorded.add(recording)
        return recording
      }
      const states: UserStates = createSharedStates({
        ...{ users, times },
        values: {
          ...connection,
          replace(user, before, text, keepFor) {
            gate.sent = from === aloneUser ? [...alone, ...tried] : tried
            tried = []
            return connection.replace(user, before, text, keepFor)
          },
          async read(user) {
            tried = []
            return await connection.read(user)
          },
        },
        clock: () => now - offset,
        offset: () => offset,
        onAlone: () => {},
      })
      const gate: Gate = {
        ...{ connection, sent: [], last: 0 },
        change(call) {
          const again = call.what === 'leave' || call.what === 'close'
          const repeats = again ? { repeats: rule(call) } : {}
          if (repeats.repeats !== undefined) recorded.add(repeats.repeats)
          return states.change({ key: '42', rule: rule(call), ...repeats }, (_said, known) => {
            if (known.aloneAt === undefined) alone = []
            else if (tried.length > 0) alone.push(...tried)
            aloneUser = known.aloneAt === undefined ? undefined : known.user
            tried = []
            known.repeat = known.repeat.map(record)
          })
        },
      }
      gates.set(connection, gate)
      return gate
    }
    const all = [0, 1, 2].map(createGate)
    const changing: (void | Promise<void>)[] = []
    for (const { gate: at, call, trouble, wait } of history) {
      const gate = all[at]
      assert.ok(gate !== undefined)
      if (trouble === 'forget') {
        values.forget()
        order = []
      } else if (trouble === 'lost answer') gate.connection.loseAnswers(1)
      else if (trouble !== 'none') gate.connection.reaches(trouble === 'near')
      changing.push(gate.change(call))
      if (wait === 0) continue
      await values.quiet()
      now += wait
      if (values.text('42') === undefined) order = []
    }
    await Promise.all(changing)
  })
  const result = await fc.check(property, RUNS)
  if (result.counterexample !== null)
    assert.fail(`${result.errorInstance}\n${JSON.stringify(result.counterexample)}`)
  assert.ok(written > 1_000 && crossed > 100, `${written} written, ${crossed} after another gate`)
})

interface Gate {
  readonly connection: PretendConnection
  /** The calls of the replacement that is under way. */
  sent: readonly Made[]
  /** How many calls there were when this gate was the last. */
  last: number
  change(call: Call): void | Promise<void>
}
