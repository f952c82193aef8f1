import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isUser, readTerms, type TermsSettings } from '../../src/limit/terms.ts'

const shipped: TermsSettings = { sessionLimit: 'newest', minUserSessions: 1 }
const read = (sent: Parameters<typeof readTerms>[0], settings: Partial<TermsSettings> = {}) =>
  readTerms({ userId: '7', ...sent }, { ...shipped, ...settings })
const newest = (max: number) => ({ terms: { max, policy: 'newest' }, nonsense: undefined })
const refuse = (max: number) => ({ terms: { max, policy: 'refuse' }, nonsense: undefined })
const none = { terms: undefined, nonsense: undefined }

describe('the terms of a user', () => {
  test('X-Max-Sessions is the number, else MAX_USER_SESSIONS, else there is no limit', () => {
    assert.deepEqual(read({ maxSessions: '2' }), newest(2))
    assert.deepEqual(read({ maxSessions: '2' }, { maxUserSessions: 5 }), newest(2))
    assert.deepEqual(read({}, { maxUserSessions: 5 }), newest(5))
    assert.deepEqual(read({}), none)
    assert.deepEqual(read({ unique: 'true' }), none)
  })

  test('X-Max-Sessions: 0 is no limit, whatever MAX_USER_SESSIONS and MIN_USER_SESSIONS say', () => {
    for (const zero of ['0', '00'])
      assert.deepEqual(read({ maxSessions: zero }, { maxUserSessions: 5, minUserSessions: 3 }), none)
  })

  test('MIN_USER_SESSIONS raises a smaller number of the backend', () => {
    assert.deepEqual(read({ maxSessions: '1' }, { minUserSessions: 3 }), newest(3))
    assert.deepEqual(read({ maxSessions: '4' }, { minUserSessions: 3 }), newest(4))
    assert.deepEqual(read({}, { minUserSessions: 3, maxUserSessions: 2 }), newest(2))
  })

  test('anything but a decimal number leaves MAX_USER_SESSIONS, and is told', () => {
    for (const nonsense of ['', '-1', '1.5', '1e3', '0x10', 'unlimited', '+2', '2 ', '١', 'NaN', '2,2']) {
      const { terms } = newest(5)
      assert.deepEqual(read({ maxSessions: nonsense }, { maxUserSessions: 5 }), { terms, nonsense })
      assert.deepEqual(read({ maxSessions: nonsense }), { terms: undefined, nonsense })
    }
  })

  test('a number above 1,000 is no limit, and is told', () => {
    assert.deepEqual(read({ maxSessions: '1000' }), newest(1000))
    for (const nonsense of ['1001', '9'.repeat(400)])
      assert.deepEqual(read({ maxSessions: nonsense }, { maxUserSessions: 5 }), {
        terms: undefined,
        nonsense,
      })
  })

  test('SESSION_LIMIT=off beats X-Unique: true, which beats refuse', () => {
    const sent = { maxSessions: '1', unique: 'true' }
    assert.deepEqual(read(sent, { sessionLimit: 'off' }), none)
    assert.deepEqual(read(sent, { sessionLimit: 'refuse' }), newest(1))
    for (const unique of ['TRUE', 'True', '1'])
      assert.deepEqual(read({ maxSessions: '1', unique }, { sessionLimit: 'refuse' }), newest(1))
    for (const unique of ['false', '0', '', 'no'])
      assert.deepEqual(read({ maxSessions: '1', unique }, { sessionLimit: 'refuse' }), refuse(1))
    assert.deepEqual(read({ maxSessions: '1' }, { sessionLimit: 'refuse' }), refuse(1))
  })

  test('SESSION_LIMIT=report counts as newest does', () => {
    assert.deepEqual(read({ maxSessions: '1' }, { sessionLimit: 'report' }), newest(1))
  })

  test('a name that is given to everybody is no user, and has no limit', () => {
    for (const userId of ['', '0', '-', 'null', 'guest', 'NULL', 'Guest']) {
      assert.equal(isUser(userId), false)
      assert.deepEqual(read({ userId, maxSessions: '1' }), none)
    }
    for (const userId of ['00', '1', 'guest1', '--', 'nullable']) assert.equal(isUser(userId), true)
    assert.deepEqual(readTerms({ maxSessions: '1' }, shipped), none)
  })
})
