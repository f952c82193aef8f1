import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { change } from '../../src/limit/rules.ts'
import { nobody, type User } from '../../src/limit/user.ts'
import { readUserText, textOfUser } from '../../src/limit/user-text.ts'
import { SHIPPED, session } from '../support/pretend-user.ts'

const terms = { max: 1, policy: 'newest' } as const
const NOW = 1_764_000_000_000

const open = (user: User, now: number, viewer: string, place: string) =>
  change(user, { what: 'opening', session: session(viewer, place), terms }, now, SHIPPED)

/** A user with a session, and one that was put out. */
function someone(): User {
  const { user } = open(open(nobody, NOW, 'tv@home', 'news').user, NOW + 3_000, 'phone@away', 'film')
  assert.deepEqual([user.entries.length, user.outs.length], [1, 1])
  return user
}

/** Whatever it is, the rules can go on with it. */
function goOn(user: User): void {
  const { user: after } = open(user, NOW + 5_000, 'box@home', 'sports')
  change(after, { what: 'look' }, NOW + 6_000, SHIPPED)
  change(after, { what: 'end', id: 'box@home sports' }, NOW + 7_000, SHIPPED)
  for (const { since, seen } of after.entries) assert.ok(Number.isFinite(since) && Number.isFinite(seen))
  textOfUser(after)
}

describe('the text of a user', () => {
  test('round trips, `seen` in whole seconds', () => {
    const user = someone()
    assert.deepEqual(readUserText(textOfUser(user), NOW + 4_000), user)
    assert.deepEqual(readUserText(textOfUser(nobody), NOW), nobody)
  })

  test('of a clock that was set back since says nothing of the future', () => {
    const { entries, outs } = readUserText(textOfUser(someone()), NOW - 3_600_000)
    assert.ok(entries.every(({ since, seen }) => since <= seen && seen <= NOW - 3_600_000))
    assert.ok(outs.every(({ at, until }) => at <= NOW - 3_600_000 && until <= NOW - 3_600_000 + 120_000))
  })

  test('of 0.2.0 is read: who plays since when, and who is out', () => {
    const entry = {
      ...{ id: 'a', viewer: 'v', address: 'home', player: 'tv', playback: '', credential: 'c' },
      ...{ place: 'film', once: true, entered: NOW, seen: NOW + 1_000, looked: NOW, visits: [NOW] },
    }
    const hold = {
      ...{ address: 'home', player: 'tv', credential: 'c', place: 'news', cause: 'zap', by: 'a' },
      ...{ urlUntil: NOW + 60_000, comeBackUntil: NOW + 20_000, times: [NOW - 1, NOW], visits: [] },
    }
    const former = { entries: [entry], marks: [], holds: [hold], cuts: [], sharedUntil: 0, terms }
    const { entries, outs, terms: read } = readUserText(JSON.stringify(former), NOW + 5_000)
    assert.deepEqual(read, terms)
    assert.deepEqual(
      entries.map(({ id, person, since, seen, place, once }) => [id, person, since, seen, place, once]),
      [['a', 'v', NOW, NOW + 1_000, 'film', true]],
    )
    assert.deepEqual(
      outs.map(({ place, cause, by, at, until }) => [place, cause, by, at, until]),
      [['news', 'beside', 'a', NOW, NOW + 20_000]],
    )
  })

  test('is bounded: of 512 sessions with long places the longest silent stay out', () => {
    const [entry] = someone().entries
    assert.ok(entry !== undefined)
    const entries = Array.from({ length: 512 }, (_, n) => {
      return { ...entry, id: `${n}`.padEnd(22, 'x'), place: '/'.padEnd(100, 'x'), seen: NOW + n }
    })
    const text = textOfUser({ ...nobody, entries })
    assert.ok(text.length < 64_000, `${text.length}`)
    const kept = readUserText(text, NOW + 1_000).entries.map(({ id }) => Number.parseInt(id, 10))
    assert.deepEqual([kept[0], Math.min(...kept) > 100], [511, true])
  })

  test('that is none is a user of whom nothing is known', () => {
    for (const text of ['', 'planted', 'null', '5', '"x"', '[]', '{', 'true', '[{}]'])
      assert.deepEqual(readUserText(text, NOW), nobody, text)
  })

  test('with any nonsense in any place does no harm', () => {
    const user = JSON.parse(textOfUser(someone())) as unknown
    const places: (readonly (string | number)[])[] = []
    const walk = (value: unknown, way: readonly (string | number)[]): void => {
      if (way.length > 0) places.push(way)
      if (typeof value === 'object' && value !== null)
        for (const [key, each] of Object.entries(value)) walk(each, [...way, key])
    }
    walk(user, [])
    const nonsense = fc.oneof(fc.jsonValue(), fc.constantFrom(null, [null], [[]], {}, -1, 1e300, ''))
    fc.assert(
      fc.property(fc.constantFrom(...places), nonsense, (way, value) => {
        const copy = structuredClone(user) as Record<string | number, unknown>
        let at = copy
        for (const key of way.slice(0, -1)) at = at[key] as Record<string | number, unknown>
        at[way.at(-1) ?? ''] = value
        goOn(readUserText(JSON.stringify(copy), NOW + 4_000))
      }),
      { numRuns: 2_000, seed: 20_261_128 },
    )
  })
})
