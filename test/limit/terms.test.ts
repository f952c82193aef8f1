import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isUser, readTerms, type TermsSettings } from '../../src/limit/terms.ts'

type Sent = Parameters<typeof readTerms>[0]
const read = (sent: Sent, settings: Partial<TermsSettings> = {}) =>
  readTerms({ userId: '7', ...sent }, { sessionLimit: 'newest', minUserSessions: 1, ...settings })
const newest = (max: number) => ({ max, policy: 'newest' }) as const
const refuse = (max: number) => ({ max, policy: 'refuse' }) as const

const rows: [sent: Sent, settings: Partial<TermsSettings>, terms: ReturnType<typeof read>['terms']][] = [
  // X-Max-Sessions is the number, else MAX_USER_SESSIONS, else there is no limit.
  [{ maxSessions: '2' }, {}, newest(2)],
  [{ maxSessions: '2' }, { maxUserSessions: 5 }, newest(2)],
  [{ maxSessions: '1000' }, {}, newest(1000)],
  [{}, { maxUserSessions: 5 }, newest(5)],
  [{}, {}, undefined],
  [{ unique: 'true' }, {}, undefined],
  // 0 is no limit, whatever the settings say.
  ...['0', '00'].map((maxSessions): (typeof rows)[number] => [
    ...([{ maxSessions }, { maxUserSessions: 5, minUserSessions: 3 }, undefined] as const),
  ]),
  // MIN_USER_SESSIONS raises a smaller number of the backend.
  [{ maxSessions: '1' }, { minUserSessions: 3 }, newest(3)],
  [{ maxSessions: '4' }, { minUserSessions: 3 }, newest(4)],
  [{}, { minUserSessions: 3, maxUserSessions: 2 }, newest(2)],
  // SESSION_LIMIT=off beats X-Unique: true, which beats refuse; report counts as newest does.
  [{ maxSessions: '1', unique: 'true' }, { sessionLimit: 'off' }, undefined],
  ...['true', 'TRUE', 'True', '1'].map((unique): (typeof rows)[number] => [
    ...([{ maxSessions: '1', unique }, { sessionLimit: 'refuse' }, newest(1)] as const),
  ]),
  ...['false', '0', '', 'no', undefined].map((unique): (typeof rows)[number] => [
    ...([{ maxSessions: '1', unique }, { sessionLimit: 'refuse' }, refuse(1)] as const),
  ]),
  [{ maxSessions: '1' }, { sessionLimit: 'report' }, newest(1)],
]

describe('the terms of a user', () => {
  for (const [sent, settings, terms] of rows)
    test(`${JSON.stringify({ ...sent, ...settings })}: ${JSON.stringify(terms) ?? 'no limit'}`, () =>
      assert.deepEqual(read(sent, settings), { terms, nonsense: undefined }))

  test('anything but a decimal number leaves MAX_USER_SESSIONS, and is told', () => {
    for (const nonsense of ['', '-1', '1.5', '1e3', '0x10', 'unlimited', '+2', '2 ', '١', 'NaN', '2,2']) {
      assert.deepEqual(read({ maxSessions: nonsense }, { maxUserSessions: 5 }), {
        terms: newest(5),
        nonsense,
      })
      assert.deepEqual(read({ maxSessions: nonsense }), { terms: undefined, nonsense })
    }
  })

  test('a number above 1,000 is no limit, and is told', () => {
    for (const nonsense of ['1001', '9'.repeat(400)]) {
      const { terms, nonsense: told } = read({ maxSessions: nonsense }, { maxUserSessions: 5 })
      assert.deepEqual([terms, told], [undefined, nonsense])
    }
  })

  test('a name that is given to everybody is no user, and has no limit', () => {
    for (const userId of ['', '0', '-', 'null', 'guest', 'NULL', 'Guest']) {
      assert.equal(isUser(userId), false)
      assert.equal(read({ userId, maxSessions: '1' }).terms, undefined)
    }
    for (const userId of ['00', '1', 'guest1', '--', 'nullable']) assert.equal(isUser(userId), true)
    assert.equal(read({ userId: undefined, maxSessions: '1' }).terms, undefined)
  })
})
