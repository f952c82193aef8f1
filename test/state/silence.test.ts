import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Kept } from '../../src/state/kept.ts'
import { createResumableUntil, hasLeft } from '../../src/state/silence.ts'
import { type KeptFields, makeKept } from '../support/make-kept.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const RESUME = 10 * HOUR

/** A silent session; times are minutes. */
function silent(target: string, openedAt: number, lastSeen: number, fields: KeptFields = {}): Kept {
  const times = { openedAt: openedAt * MINUTE, lastSeen: lastSeen * MINUTE }
  return makeKept(`${target} ${openedAt}`, target, { silent: true, ...times, ...fields })
}

/** For how many minutes after its last request each may go on. */
function minutesOf(...all: readonly Kept[]): number[] {
  const until = createResumableUntil(all)
  return all.map((one) => {
    const at = until(one)
    return at === 0 ? 0 : (at - one.session.lastSeen) / MINUTE
  })
}

const full = RESUME / MINUTE

describe('a silent session', () => {
  test('may go on for as long as its backend said', () => {
    assert.deepEqual(minutesOf(silent('/a/index.m3u8?token=X', 0, 30)), [full])
  })

  test('may go on until 24 h after the last allow', () => {
    assert.deepEqual(minutesOf(silent('/a/index.m3u8?token=X', 0, 20 * 60)), [4 * 60])
  })

  test('that its viewer has left for another place may go on for five minutes', () => {
    const user = { user: 'anna' }
    assert.deepEqual(
      minutesOf(silent('/a/index.m3u8?token=1', 0, 30, user), silent('/b/index.m3u8?token=2', 30, 40, user)),
      [5, full],
    )
    const playing = silent('/b/index.m3u8?token=2', 30, 40, { ...user, silent: false })
    assert.deepEqual(minutesOf(silent('/a/index.m3u8?token=1', 0, 30, user), playing), [5, full])
  })

  test('is not left when it went on for 15 seconds beside the other: that is another box', () => {
    const user = { user: 'anna' }
    const other = silent('/b/index.m3u8?token=2', 30, 40, user)
    assert.deepEqual(minutesOf(silent('/a/index.m3u8?token=1', 0, 30.2, user), other), [5, full])
    assert.deepEqual(minutesOf(silent('/a/index.m3u8?token=1', 0, 30.25, user), other), [full, full])
  })

  test('is not left for another user, or without users for another credential', () => {
    const a = silent('/a/index.m3u8?token=1', 0, 30, { user: 'anna' })
    assert.deepEqual(minutesOf(a, silent('/b/index.m3u8?token=1', 30, 40, { user: 'bert' })), [full, full])
    const c = silent('/a/index.m3u8?token=1', 0, 30)
    assert.deepEqual(minutesOf(c, silent('/b/index.m3u8?token=2', 30, 40)), [full, full])
    assert.deepEqual(minutesOf(c, silent('/b/index.m3u8?token=1', 30, 40)), [5, full])
  })

  test('is not left for a rendition of it, or by an older session', () => {
    const master = silent('/a/index.m3u8?token=X', 0, 30)
    assert.deepEqual(minutesOf(master, silent('/a/hd/index.m3u8?token=X', 31, 40)), [full, full])
    assert.deepEqual(minutesOf(silent('/b/index.m3u8?token=X', -5, 40), master), [full, full])
  })

  test('of one long response is never left: another box may have opened the newer one', () => {
    const user = { user: 'anna' }
    const stream = silent('/a.ts?token=1', 0, 0, user)
    assert.deepEqual(minutesOf(stream, silent('/b.ts?token=2', 30, 30, user)), [full, full])
    assert.equal(hasLeft(stream, [silent('/b.ts?token=2', 30, 30, user)]), false)
  })

  test('is one of three at most of a viewer and a user, the latest', () => {
    const films = (user: string): Kept[] =>
      [1, 2, 3, 4].map((at) => silent(`/${at}.mp4?token=${at}`, at, at, { user }))
    assert.deepEqual(minutesOf(...films('anna'), ...films('bert')), [
      0,
      full,
      full,
      full,
      0,
      full,
      full,
      full,
    ])
    assert.deepEqual(minutesOf(...films('')), [full, full, full, full], 'each has a credential of its own')
    const alike = [1, 2, 3, 4].map((at) => silent(`/${at}.mp4?token=X`, at, at))
    assert.deepEqual(minutesOf(...alike), [0, full, full, full])
  })

  test('is none of three while it plays', () => {
    const all = [1, 2, 3, 4, 5].map((at) =>
      silent(`/${at}.mp4?token=${at}`, at, at, { user: 'anna', silent: at === 1 }),
    )
    assert.deepEqual(minutesOf(...all), [full, full, full, full, full])
  })
})
