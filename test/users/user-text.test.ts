import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { admit } from '../../src/limit/admit.ts'
import { look } from '../../src/limit/look.ts'
import { lastsUntil } from '../../src/limit/prune.ts'
import { timesOf } from '../../src/limit/times.ts'
import { leave, nobody, type User } from '../../src/limit/user.ts'
import { readUserText, textOfUser } from '../../src/users/user-text.ts'
import { SHIPPED, session } from '../support/pretend-user.ts'

const times = timesOf(SHIPPED)
const terms = { max: 1, policy: 'newest' } as const

/** A user with entries, a mark, a hold and a cut. */
function someone(): User {
  const first = admit(nobody, 1_000, session('tv@home', 'news'), terms, times).user
  const { user } = admit(first, 3_000, session('phone@away', 'film'), terms, times)
  assert.deepEqual(
    [user.entries, user.marks, user.holds, user.cuts].map(({ length }) => length),
    [1, 1, 1, 1],
  )
  return user
}

/** Whatever it is, the rules can go on with it. */
function goOn(user: User): void {
  const { user: after } = admit(user, 5_000, session('box@home', 'sports'), terms, times)
  look(after, 6_000, [], times)
  leave(after, 7_000, 'box@home sports', 'closed', times)
  assert.ok(lastsUntil(after, times) > 5_000)
  for (const { entered, seen, looked } of after.entries)
    assert.ok([entered, seen, looked].every(Number.isFinite))
}

describe('the text of a user', () => {
  test('round trips, by any clock', () => {
    const user = someone()
    for (const offset of [0, 1, -5_000, 1_764_000_000_000])
      assert.deepEqual(readUserText(textOfUser(user, offset), offset), user)
    assert.deepEqual(readUserText(textOfUser(nobody, 5), 5), nobody)
  })

  test('of a later release keeps the fields that this one does not know', () => {
    const user = someone()
    const entries = user.entries.map((entry) => ({ ...entry, device: 'tv' }))
    const later = { ...user, entries, since: 'later', terms: { ...user.terms, devices: 2 } }
    const read = readUserText(JSON.stringify(later), 0)
    const again = JSON.parse(textOfUser(look(read, 4_000, [], times).user, 0))
    assert.equal(again.since, 'later')
    assert.equal(again.entries[0].device, 'tv')
    assert.equal(again.terms.devices, 2)
  })

  test('without lists that a release may not have is a user without these', () => {
    for (const name of ['entries', 'marks', 'holds', 'cuts', 'sharedUntil', 'terms'] as const) {
      const { [name]: _, ...rest } = someone()
      const read = readUserText(JSON.stringify(rest), 0)
      assert.deepEqual(read, { ...someone(), [name]: nobody[name] }, name)
      goOn(read)
    }
  })

  test('that is none is a user of whom nothing is known', () => {
    for (const text of ['', 'planted', 'null', '5', '"x"', '[]', '{', 'true', '[{}]'])
      assert.deepEqual(readUserText(text, 5), nobody, text)
  })

  test('with any nonsense in any place does no harm', () => {
    const user = someone()
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
        const copy = structuredClone(user) as unknown as Record<string | number, unknown>
        let at = copy
        for (const key of way.slice(0, -1)) at = at[key] as Record<string | number, unknown>
        at[way.at(-1) ?? ''] = value
        goOn(readUserText(JSON.stringify(copy), 0))
      }),
      { numRuns: 2_000, seed: 20_261_128 },
    )
  })
})
