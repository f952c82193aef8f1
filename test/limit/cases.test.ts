import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPretendUser } from '../support/pretend-user.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** The table of cases of docs, each as the rules see it. */
describe('how many at once: N=1, newest', () => {
  test('a family with two devices: the phone starts, the television is out for as long as it plays', () => {
    const user = createPretendUser()
    const url = { credential: 'url of the television' }
    const television = user.start('tv@home', 'news', url)
    user.pass(10 * MINUTE)
    const phone = user.start('phone@home', 'film')
    assert.equal(phone.refused, undefined)
    assert.deepEqual(
      user.displaced.map(({ id, by, cause }) => ({ id, by, cause })),
      [{ id: television.id, by: phone.id, cause: 'other' }],
    )
    // Its player retries with the same URL, for longer than any hold.
    for (let tries = 0; tries < 60; tries++) {
      user.pass(5 * SECOND)
      assert.equal(user.start('tv@home', 'news', url).refused, 'held')
    }
    assert.ok(user.isIn(phone.id))
    // The phone is switched off: there is room within half a minute.
    user.stop(phone.id)
    user.pass(31 * SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('somebody presses play on the television again, later or on another channel: the phone is out', () => {
    for (const [place, wait] of [
      ['news', 21 * SECOND],
      ['sports', 0],
    ] as const) {
      const user = createPretendUser()
      user.start('tv@home', 'news')
      user.pass(MINUTE)
      const phone = user.start('phone@home', 'film')
      user.pass(wait)
      assert.equal(user.start('tv@home', place).refused, undefined)
      assert.equal(user.isIn(phone.id), false)
    }
  })

  test('a set-top box zaps 10 channels in 20 s: all are let in, one counts, nothing is displaced', () => {
    const user = createPretendUser()
    for (let channel = 0; channel < 10; channel++) {
      const { id, refused } = user.start('box@home', `channel ${channel}`)
      assert.equal(refused, undefined)
      assert.equal(user.count(), 1)
      user.pass(2 * SECOND)
      user.stop(id)
    }
    assert.deepEqual(user.displaced, [])
  })

  test('picture in picture: the older channel is displaced after GRACE and one look; N=2 plays both', () => {
    for (const max of [1, 2]) {
      const user = createPretendUser({ max })
      const older = user.start('box@home', 'news')
      user.pass(MINUTE)
      const newer = user.start('box@home', 'sports')
      user.pass(14 * SECOND)
      assert.ok(user.isIn(older.id) && user.isIn(newer.id))
      user.pass(6 * SECOND)
      assert.deepEqual(user.ids(), max === 1 ? [newer.id] : [older.id, newer.id])
      if (max === 1) assert.equal(user.displaced[0]?.cause, 'beside')
      user.pass(5 * MINUTE)
      assert.deepEqual(user.ids(), max === 1 ? [newer.id] : [older.id, newer.id])
    }
  })

  test('Wi-Fi to LTE and back within seconds: its own old play goes, and nobody else', () => {
    const user = createPretendUser({ max: 2 })
    const url = { credential: 'url of the phone' }
    const television = user.start('tv@home', 'news')
    user.pass(SECOND)
    const phone = user.start('phone@home', 'film', url)
    user.pass(MINUTE)
    const outside = user.start('phone@mobile', 'film', url)
    assert.equal(outside.refused, undefined)
    assert.deepEqual(user.ids(), [television.id, outside.id])
    assert.deepEqual(
      user.displaced.map(({ id, cause }) => [id, cause]),
      [[phone.id, 'moved']],
    )
    user.pass(3 * SECOND)
    const back = user.start('phone@home', 'film', url)
    assert.equal(back.refused, undefined)
    assert.deepEqual(user.ids(), [television.id, back.id])
  })

  test('two equal boxes behind one address: on one channel they count once, on two for 15 s', () => {
    const user = createPretendUser()
    const first = user.start('box@home', 'news')
    const second = user.start('box@home', 'news')
    user.pass(5 * MINUTE)
    assert.deepEqual(user.ids(), [first.id, second.id])
    user.stop(second.id)
    const other = user.start('box@home', 'sports')
    user.pass(14 * SECOND)
    assert.ok(user.isIn(first.id) && user.isIn(other.id))
    user.pass(6 * SECOND)
    assert.equal(user.isIn(first.id), false)
    assert.ok(user.isIn(other.id))
  })

  test('casting and back: each takes over from the other', () => {
    const user = createPretendUser()
    const phone = user.start('phone@home', 'film')
    user.pass(MINUTE)
    user.stop(phone.id)
    const cast = user.start('cast@home', 'film')
    assert.equal(cast.refused, undefined)
    user.pass(MINUTE)
    user.stop(cast.id)
    assert.equal(user.start('phone@home', 'film').refused, undefined)
    user.pass(MINUTE)
    assert.equal(user.count(), 1)
  })

  test('of two openings in one millisecond the second is the newer', () => {
    const user = createPretendUser()
    const first = user.start('z@home', 'news')
    const second = user.start('a@home', 'news')
    assert.deepEqual(user.ids(), [second.id])
    assert.equal(user.displaced[0]?.id, first.id)
  })

  test('what a displaced viewer had left goes with it, unless they play something else', () => {
    const user = createPretendUser()
    const left = user.start('tv@home', 'news')
    user.pass(SECOND)
    user.stop(left.id)
    const current = user.start('tv@home', 'sports')
    user.pass(SECOND)
    user.start('phone@home', 'film')
    assert.deepEqual(
      user.displaced.map(({ id, left }) => [id, left]),
      [
        [current.id, false],
        [left.id, true],
      ],
    )
  })
})

describe('how many at once: refuse', () => {
  const refuse = (max = 1) => createPretendUser({ max, policy: 'refuse' })

  test('who plays keeps playing; with a free place nobody is refused', () => {
    const user = refuse(2)
    const first = user.start('tv@home', 'news')
    const second = user.start('phone@home', 'film')
    assert.equal(user.start('tablet@home', 'news').refused, 'full')
    assert.deepEqual(user.ids(), [first.id, second.id])
    user.leave(first.id, 'idle')
    assert.equal(user.start('tablet@home', 'news').refused, undefined)
  })

  test('a viewer who changes channel is not another', () => {
    const user = refuse()
    user.start('tv@home', 'news')
    user.pass(MINUTE)
    assert.equal(user.start('tv@home', 'sports').refused, undefined)
    assert.deepEqual(user.displaced, [])
  })

  test('the same player with the same credential moves in, and its own old play goes', () => {
    const user = refuse(2)
    const url = { credential: 'url of the phone' }
    const phone = user.start('phone@home', 'film', url)
    user.pass(SECOND)
    // Entered last: the one that `refuse` ends where nobody has moved.
    const television = user.start('tv@home', 'news')
    user.pass(MINUTE)
    const outside = user.start('phone@mobile', 'film', url)
    assert.equal(outside.refused, undefined)
    assert.deepEqual(
      user.displaced.map(({ id, cause }) => [id, cause]),
      [[phone.id, 'moved']],
    )
    assert.deepEqual(user.ids(), [television.id, outside.id])
  })

  test('a play beside grows over the number: what was entered last goes', () => {
    const user = refuse()
    const first = user.start('box@home', 'news')
    user.pass(MINUTE)
    const beside = user.start('box@home', 'sports')
    assert.equal(beside.refused, undefined)
    user.pass(20 * SECOND)
    assert.deepEqual(user.ids(), [first.id])
    assert.deepEqual(
      user.displaced.map(({ id, by, cause }) => ({ id, by, cause })),
      [{ id: beside.id, by: first.id, cause: 'beside' }],
    )
    // Its player retries, and is held from the third time.
    const tries = [1, 2, 3].map(() => {
      user.pass(SECOND)
      const { refused } = user.start('box@home', 'sports', { credential: `token of ${beside.id}` })
      user.pass(20 * SECOND)
      return refused
    })
    assert.deepEqual(tries, [undefined, undefined, 'held'])
    assert.ok(user.isIn(first.id))
  })
})

describe('nobody zaps another out of their place', () => {
  for (const policy of ['newest', 'refuse'] as const)
    for (const isFirst of [true, false])
      test(`${policy}: N=2, the television came ${isFirst ? 'first' : 'last'}`, () => {
        for (const seconds of [1, 3, 8, 14, 18, 24, 40])
          for (const channels of [2, 3, 8]) {
            const user = createPretendUser({ policy, max: 2 })
            const early = isFirst ? user.start('tv@home', 'film') : user.start('box@home', 'channel 0')
            user.pass(SECOND)
            const television = isFirst ? early : user.start('tv@home', 'film')
            const ids: string[] = []
            for (let zap = 0; zap < 60; zap++) {
              const at = zap % channels
              // Back on the session that it has, or with a new link.
              if (zap % 3 === 0 || !user.resume(ids[at] ?? ''))
                ids[at] = user.start('box@home', `channel ${at}`, { credential: '' }).id
              user.pass(seconds * SECOND)
              user.stop(ids[at] ?? '')
            }
            assert.ok(user.isIn(television.id), `${channels} channels, each for ${seconds} s`)
          }
      })
})

test('another user, or one without a number, is not touched: nothing is shared between states', () => {
  const one = createPretendUser()
  const other = createPretendUser()
  const first = one.start('box@home', 'news')
  other.start('box@home', 'sports')
  assert.deepEqual(one.ids(), [first.id])
})

test('nothing is left of a user after the last session’s time', () => {
  const user = createPretendUser()
  const first = user.start('tv@home', 'news')
  user.pass(MINUTE)
  const second = user.start('phone@home', 'film')
  user.stop(second.id)
  assert.equal(user.isIn(first.id), false)
  user.pass(2 * user.times.idle + user.times.mark)
  assert.deepEqual(user.ids(), [])
  assert.ok(user.isEmpty())
})
