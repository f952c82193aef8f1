import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPretendUser, session } from '../support/pretend-user.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Each sentence of docs/sessions.md, as the rules see it. */
describe('1. who a viewer is', () => {
  test('a session cookie that came back, at two networks of a family; at a third it is none', () => {
    const user = createPretendUser()
    const cookie = { cookie: 'C' }
    const first = user.start('tv@192.0.2.1', 'news', cookie)
    const second = user.start('phone@198.51.100.1', 'news', cookie)
    const third = user.start('phone@2001:db8:1::/64', 'news', cookie)
    assert.deepEqual(user.ids(), [first.id, second.id, third.id])
    user.start('friend@203.0.113.1', 'news', cookie)
    assert.equal(user.ids().length, 1)
    assert.equal(user.count(), 1)
  })

  test('who has something in common with two viewers makes them one', () => {
    const user = createPretendUser({ max: 2 })
    user.start('tv@home', 'news', { credential: 'one' })
    user.start('phone@home', 'news', { credential: 'two' })
    assert.equal(user.count(), 2)
    user.start('tv@home', 'news', { credential: 'two' })
    assert.equal(user.count(), 1)
  })
})

describe('2. a viewer counts once', () => {
  test('master, child playlists and renditions are one', () => {
    const user = createPretendUser()
    for (const place of ['/live/ch/', '/live/ch/video/', '/live/ch/audio/']) user.start('tv@home', place)
    user.pass(5 * MINUTE)
    assert.deepEqual([user.ids().length, user.count()], [3, 1])
    assert.deepEqual(user.displaced, [])
  })

  test('for as long as a session lives: nothing is left after the last one', () => {
    const user = createPretendUser()
    user.start('tv@home', 'news')
    user.pass(MINUTE)
    user.stop(user.start('phone@home', 'film').id)
    user.pass(10 * MINUTE)
    assert.deepEqual(user.ids(), [])
    assert.ok(user.isEmpty())
  })
})

describe('3. a further channel counts after a minute', () => {
  test('a pause of 20 s makes a channel new; a shorter one does not', () => {
    for (const [pause, isCut] of [
      [18, true],
      [22, false],
    ] as const) {
      const user = createPretendUser()
      const news = user.start('box@home', 'news', {}, {}, 1_000)
      const sports = user.start('box@home', 'sports', {}, {}, 1_000)
      for (let n = 0; n < 3; n++) {
        user.pass(18 * SECOND)
        user.stop(sports.id)
        user.pass(pause * SECOND)
        user.resume(sports.id)
      }
      assert.equal(user.isIn(news.id) && user.isIn(sports.id), !isCut, `${pause} s`)
    }
  })

  test('where nginx answers in place of the gate, the times grow by as much', () => {
    const user = createPretendUser({ settings: { unseen: 10_000 } })
    const older = user.start('box@home', 'news', {}, {}, 25_000)
    user.start('box@home', 'sports', {}, {}, 25_000)
    user.pass(69 * SECOND)
    assert.ok(user.isIn(older.id))
    user.pass(31 * SECOND)
    assert.equal(user.ids().length, 1)
  })
})

describe('4, 5. who goes', () => {
  test('the same player with the same link elsewhere has moved: it goes before all others', () => {
    for (const policy of ['newest', 'refuse'] as const) {
      const user = createPretendUser({ policy, max: 2 })
      const television = user.start('tv@home', 'news')
      user.pass(SECOND)
      const phone = user.start('phone@home', 'film', { credential: 'url' })
      user.pass(MINUTE)
      const outside = user.start('phone@mobile', 'film', { credential: 'url' })
      assert.deepEqual(user.ids(), [television.id, outside.id])
      assert.deepEqual(
        user.displaced.map(({ id, cause }) => [id, cause]),
        [[phone.id, 'moved']],
      )
    }
  })

  test('then who was silent for 30 s, the longest silent first', () => {
    const user = createPretendUser({ max: 3 })
    const first = user.start('tv@home', 'news')
    const longest = user.start('phone@home', 'film')
    const silent = user.start('tablet@home', 'film')
    user.pass(MINUTE)
    user.stop(longest.id)
    user.pass(5 * SECOND)
    user.stop(silent.id)
    user.pass(40 * SECOND)
    user.start('bedroom@home', 'news')
    assert.deepEqual([user.isIn(longest.id), user.isIn(silent.id)], [false, true])
    user.start('kitchen@home', 'news')
    assert.deepEqual([user.isIn(silent.id), user.isIn(first.id)], [false, true])
  })

  test('then what a viewer plays beside, the opener’s own too; then who came first', () => {
    const user = createPretendUser({ max: 3 })
    const television = user.start('tv@home', 'news')
    const box = ['a', 'b'].map((place) => user.start('box@home', place).id)
    user.pass(2 * MINUTE)
    user.start('phone@home', 'film')
    assert.ok(user.isIn(television.id))
    assert.equal(box.filter((id) => user.isIn(id)).length, 1)
    user.start('tablet@home', 'film')
    assert.equal(user.isIn(television.id), false)
  })

  test('of two openings in one millisecond the second is the newer', () => {
    const user = createPretendUser()
    user.start('z@home', 'news')
    const second = user.start('a@home', 'news')
    assert.deepEqual(user.ids(), [second.id])
  })

  test('an adopted session is judged by its age: after a restart the newest still wins', () => {
    for (const order of [
      ['old', 'young'],
      ['young', 'old'],
    ]) {
      const user = createPretendUser()
      for (const id of order) {
        const since = user.now() - (id === 'old' ? 10 : 1) * MINUTE
        user.open(session(`${id}@home`, 'news', { id }), { since, seen: user.now() - SECOND })
      }
      assert.deepEqual(user.ids(), ['young'])
    }
  })
})

describe('6. refuse', () => {
  test('who plays keeps playing; room is seen after 30 s of silence, of a long response after its idle time', () => {
    for (const [once, seconds] of [
      [false, 30],
      [true, 121],
    ] as const) {
      const user = createPretendUser({ policy: 'refuse' })
      const television = user.start('tv@home', 'news', { once }, {}, 1_000)
      user.pass(MINUTE)
      assert.equal(user.start('tv@home', 'sports').refused, undefined, 'changing the channel')
      for (const id of user.ids()) if (id !== television.id) user.close(id)
      user.stop(television.id)
      user.pass((seconds - 1) * SECOND)
      assert.equal(user.start('bedroom@home', 'film').refused, 'full')
      user.pass(2 * SECOND)
      assert.equal(user.start('bedroom@home', 'film').refused, undefined)
    }
  })

  test('a play beside grows over the number: what was opened last goes', () => {
    const user = createPretendUser({ policy: 'refuse' })
    const first = user.start('box@home', 'news')
    user.pass(MINUTE)
    user.start('box@home', 'sports')
    user.pass(66 * SECOND)
    assert.deepEqual(user.ids(), [first.id])
    assert.equal(user.displaced[0]?.cause, 'beside')
  })
})

describe('8 to 11. who was put out', () => {
  const url = { credential: 'url of news' }
  const putOut = () => {
    const user = createPretendUser()
    user.start('tv@home', 'news', url)
    user.pass(MINUTE)
    return { user, phone: user.start('phone@home', 'film') }
  }

  test('stays out of that channel with any link, until it has not tried for 20 s', () => {
    const { user } = putOut()
    for (let tries = 0; tries < 30; tries++) {
      user.pass(19 * SECOND)
      assert.equal(user.start('tv@home', 'news', tries % 2 === 0 ? url : {}).refused, 'held')
    }
    user.pass(19 * SECOND)
    assert.equal(user.retry(session('tv@home', 'news')), 'held', 'a segment is a try, too')
    user.pass(19 * SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, 'held')
    user.pass(21 * SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('a player that makes a new playback id for each try stays out, too', () => {
    const { user } = putOut()
    const again = session('tv@home', 'news', { id: 'again', viewer: 'tv@home 2', playback: '2' })
    assert.equal(user.open(again).refused, 'held')
  })

  test('is let in at once where there is room', () => {
    const { user, phone } = putOut()
    user.close(phone.id)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('another channel is let in at once, and ends what holds its player', () => {
    const { user, phone } = putOut()
    user.pass(SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, 'held')
    assert.equal(user.start('tv@home', 'sports').refused, undefined)
    assert.equal(user.isIn(phone.id), false)
    user.pass(SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('the third time within five minutes it is out of all channels for a minute after the last try', () => {
    const user = createPretendUser()
    user.start('tv@home', 'a')
    for (const place of ['b', 'c']) {
      user.start('phone@home', `film ${place}`)
      user.pass(SECOND)
      user.start('tv@home', place)
      user.pass(SECOND)
    }
    user.start('phone@home', 'film', { id: 'last' })
    // The phone was put out twice itself.
    assert.ok(user.isIn('last'))
    user.pass(59 * SECOND)
    assert.equal(user.start('tv@home', 'd').refused, 'held')
    user.pass(59 * SECOND)
    assert.equal(user.start('tv@home', 'e').refused, 'held')
    user.pass(61 * SECOND)
    assert.equal(user.start('tv@home', 'f').refused, undefined)
  })

  test('a move keeps nobody out, but for the third within a minute', () => {
    const user = createPretendUser()
    const viewers = ['phone@home', 'phone@mobile']
    user.start('phone@home', 'news', url)
    for (let move = 1; move <= 3; move++) {
      user.pass(5 * SECOND)
      assert.equal(user.start(viewers[move % 2] ?? '', 'news', url).refused, undefined)
    }
    user.pass(SECOND)
    assert.equal(user.start('phone@home', 'news', url).refused, 'held')
    user.pass(21 * SECOND)
    assert.equal(user.start('phone@home', 'news', url).refused, undefined)
  })

  test('who was silent when put out is not held', () => {
    const user = createPretendUser()
    const television = user.start('tv@home', 'news', url)
    user.pass(MINUTE)
    user.stop(television.id)
    user.pass(31 * SECOND)
    user.start('phone@home', 'film')
    assert.equal(user.isIn(television.id), false)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })
})

describe('13. what rides without a credential', () => {
  test('puts nobody out, and is let in where there is room', () => {
    for (const policy of ['newest', 'refuse'] as const) {
      const user = createPretendUser({ policy, max: 2 })
      user.start('tv@home', 'news')
      assert.equal(user.start('box@home', 'sports', {}, { tokenless: true }).refused, undefined)
      assert.notEqual(user.start('tablet@home', 'sports', {}, { tokenless: true }).refused, undefined)
      assert.deepEqual(user.displaced, [])
    }
  })
})

describe('what is known of a user', () => {
  test('is bounded: one viewer with a thousand URLs is one play, and the longest silent are forgotten', () => {
    const user = createPretendUser()
    for (let n = 0; n < 1_000; n++) assert.equal(user.start('box@home', '/live/').refused, undefined)
    assert.equal(user.user().entries.length, 512)
    assert.equal(user.count(), 1)
  })

  test('a thousand URLs of one viewer do not make an opening dear: at most ten times that of 400', () => {
    const openingOf = (sessions: number): number => {
      const user = createPretendUser()
      for (let n = 0; n < sessions; n++) user.start('box@home', '/live/')
      const costs = Array.from({ length: 9 }, () => {
        const before = performance.now()
        user.start('box@home', '/live/')
        return performance.now() - before
      })
      // The least: others are those of a pause of the collector.
      return Math.min(...costs)
    }
    const [few, many] = [openingOf(400), openingOf(1_000)]
    assert.ok(many <= 10 * few, `${few} and ${many} ms`)
  })

  test('is bounded, whatever they open, and outlives its clock', () => {
    const user = createPretendUser({ max: 3 })
    for (let n = 0; n < 2_000; n++) {
      user.start(`box${n % 700}@home`, `channel ${n % 900}`)
      user.pass(20)
    }
    user.reread()
    const { entries, outs } = user.user()
    assert.ok(entries.length <= 512 && outs.length <= 100)
    for (const id of user.ids()) user.stop(id)
    user.pass(10 * MINUTE)
    assert.ok(user.isEmpty())
  })

  test('a smaller number counts with the next opening or look; a larger one lets more in', () => {
    const user = createPretendUser({ max: 3 })
    const [first] = ['tv', 'phone', 'tablet'].map((player) => user.start(`${player}@home`, 'news').id)
    user.allow({ max: 2 })
    user.pass(MINUTE)
    user.start('bedroom@home', 'film')
    assert.equal(user.ids().length, 2)
    assert.equal(user.isIn(first ?? ''), false)
    user.allow({ max: 3 })
    user.start('kitchen@home', 'news')
    assert.equal(user.ids().length, 3)
  })
})
