import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { admit } from '../../src/limit/admit.ts'
import { describeUser, whyOut } from '../../src/limit/describe.ts'
import { look, unknownTo } from '../../src/limit/look.ts'
import { lastsUntil } from '../../src/limit/prune.ts'
import type { Times } from '../../src/limit/times.ts'
import { leave, movedBy, nobody, type User } from '../../src/limit/user.ts'
import { createPretendUser, session } from '../support/pretend-user.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Where in the interval of looks, and between two requests, a person presses the button. */
const PHASES = Array.from({ length: 50 }, (_, n) => n * 137)

describe('a short look at another channel', () => {
  const cases = [3, 8, 14, 16, 20, 40].flatMap((seconds) =>
    (['on the session that it has', 'with a new link', 'with the same URL'] as const).map((how) => ({
      seconds,
      how,
    })),
  )
  for (const { seconds, how } of cases) {
    test(`${seconds} s and back ${how}: what is watched is never displaced`, () => {
      for (const phase of PHASES) {
        const user = createPretendUser()
        const url = { credential: 'url of news' }
        const watched = user.start('tv@home', 'news', url, {}, 3_700)
        user.pass(MINUTE + phase)
        user.stop(watched.id)
        const peek = user.start('tv@home', 'sports', {}, {}, 2_900)
        user.pass(seconds * SECOND)
        user.stop(peek.id)
        let now = watched.id
        if (how === 'on the session that it has') assert.ok(user.resume(watched.id), `phase ${phase}`)
        else {
          const back = user.start('tv@home', 'news', how === 'with the same URL' ? url : {}, {}, 3_700)
          assert.equal(back.refused, undefined)
          now = back.id
        }
        user.pass(5 * MINUTE)
        assert.ok(user.isIn(now), `displaced in phase ${phase}`)
        assert.equal(user.displaced.length, 0, `phase ${phase}`)
      }
    })
  }

  test('a neighbour whose playlist is fetched in advance displaces nothing', () => {
    for (const phase of PHASES) {
      const user = createPretendUser()
      const watched = user.start('tv@home', 'news')
      user.pass(MINUTE + phase)
      const neighbour = user.start('tv@home', 'sports')
      user.pass(phase % 3_000)
      user.stop(neighbour.id)
      user.pass(5 * MINUTE)
      assert.ok(user.isIn(watched.id), `phase ${phase}`)
      assert.deepEqual(user.displaced, [])
    }
  })

  test('real picture in picture ends one, in every phase', () => {
    for (const phase of PHASES) {
      const user = createPretendUser()
      user.start('tv@home', 'news', {}, {}, 6_000)
      user.pass(MINUTE + phase)
      user.start('tv@home', 'sports', {}, {}, 6_000)
      user.pass(26 * SECOND)
      assert.equal(user.ids().length, 1, `phase ${phase}`)
    }
  })

  test('somebody who zaps all the time hides nothing of what goes on at the same address', () => {
    for (const seconds of [1, 3, 7, 14]) {
      const user = createPretendUser()
      const boxes = ['news', 'sports', 'film'].map((place) => {
        const { id } = user.start('box@home', place, {}, {}, 6_000)
        return id
      })
      for (let n = 0; n * seconds < 60; n++) {
        const zap = user.start('box@home', `channel ${n}`)
        user.pass(seconds * SECOND)
        user.stop(zap.id)
      }
      assert.ok(boxes.filter((id) => user.isIn(id)).length <= 1, `a zap every ${seconds} s`)
    }
  })

  test('right after a zap the new channel counts, although the old one was requested last', () => {
    const user = createPretendUser({ policy: 'refuse' })
    const old = user.start('tv@home', 'news')
    user.pass(MINUTE)
    user.start('tv@home', 'sports')
    user.pass(SECOND)
    user.request(old.id)
    assert.equal(user.count(), 1)
    assert.equal(user.start('phone@home', 'film').refused, 'full')
  })
})

describe('plays are grouped by what contains what', () => {
  test('a master and its child playlists in two directories are one play, in any order', () => {
    const places = ['/live/ch/', '/live/ch/video/', '/live/ch/audio/']
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [2, 0, 1],
    ]) {
      const user = createPretendUser()
      for (const at of order) assert.equal(user.start('tv@home', places[at] ?? '').refused, undefined)
      user.pass(5 * MINUTE)
      assert.equal(user.ids().length, 3)
      assert.equal(user.count(), 1)
    }
  })

  test('a child playlist is no new entry: who came first stays first', () => {
    const user = createPretendUser({ max: 2 })
    const master = user.start('tv@home', '/live/ch/')
    user.pass(SECOND)
    const phone = user.start('phone@home', '/live/other/')
    user.pass(MINUTE)
    user.start('tv@home', '/live/ch/video/')
    user.start('tablet@home', '/vod/')
    assert.equal(user.isIn(master.id), false)
    assert.ok(user.isIn(phone.id))
  })

  test('renditions without a common master stay two, displaced by the same viewer', () => {
    const user = createPretendUser()
    user.start('tv@home', '/ch_video/')
    user.pass(SECOND)
    user.start('tv@home', '/ch_audio/')
    user.pass(20 * SECOND)
    assert.deepEqual(
      user.displaced.map(({ cause }) => cause),
      ['beside'],
    )
  })

  test('a name that only begins alike, the root and a channel contain nothing', () => {
    for (const [one, other] of [
      ['/live/ch1', '/live/ch10'],
      ['/.', '/film.mp4'],
      ['<a/>', '<a/b>'],
    ] as const) {
      const user = createPretendUser({ max: 2 })
      user.start('tv@home', one)
      user.start('tv@home', other)
      user.pass(20 * SECOND)
      assert.equal(user.count(), 2, one)
    }
  })
})

describe('room is seen within half a minute', () => {
  test('refuse: a television that was switched off keeps the bedroom out for 30 s, not for two minutes', () => {
    const user = createPretendUser({ policy: 'refuse' })
    const television = user.start('tv@home', 'news', {}, {}, 1_000)
    user.pass(MINUTE)
    user.stop(television.id)
    user.pass(29 * SECOND)
    assert.equal(user.start('bedroom@home', 'film').refused, 'full')
    user.pass(SECOND)
    assert.equal(user.start('bedroom@home', 'film').refused, undefined)
    assert.equal(user.start('tv@home', 'news').refused, 'full')
  })

  test('newest: who was silent for 30 s goes first, the longest first', () => {
    const user = createPretendUser({ max: 3 })
    const first = user.start('tv@home', 'news')
    user.pass(SECOND)
    const longest = user.start('phone@home', 'film')
    user.pass(SECOND)
    const silent = user.start('tablet@home', 'film')
    user.pass(MINUTE)
    user.stop(longest.id)
    user.pass(5 * SECOND)
    user.stop(silent.id)
    user.pass(40 * SECOND)
    user.start('bedroom@home', 'news')
    assert.deepEqual(user.ids().includes(longest.id), false)
    user.start('kitchen@home', 'news')
    assert.deepEqual(user.ids().includes(silent.id), false)
    assert.ok(user.isIn(first.id))
  })

  test('who was silent for 30 s and comes back enters anew: it is the newest now', () => {
    const user = createPretendUser({ max: 2 })
    const television = user.start('tv@home', 'news')
    user.pass(SECOND)
    const phone = user.start('phone@home', 'film')
    // A left session: such a user is looked at every few seconds.
    const left = user.start('phone@home', 'sports')
    user.pass(SECOND)
    user.stop(phone.id)
    user.pass(MINUTE)
    user.stop(television.id)
    user.pass(36 * SECOND)
    assert.ok(user.resume(television.id))
    user.pass(10 * SECOND)
    user.start('tablet@home', 'film')
    assert.ok(user.isIn(television.id))
    assert.equal(user.isIn(left.id), false)
  })

  test('nothing is read from a time in which nobody looked', () => {
    const user = createPretendUser({ max: 2 })
    const television = user.start('tv@home', 'news')
    user.pass(SECOND)
    const phone = user.start('phone@home', 'film')
    user.pass(59 * SECOND)
    user.start('tablet@home', 'film')
    assert.deepEqual([user.isIn(television.id), user.isIn(phone.id)], [false, true])
  })

  test('with reports every 30 s, half a minute is 45 s', () => {
    assert.equal(createPretendUser().times.quiet, 30 * SECOND)
    assert.equal(createPretendUser({ settings: { report: 30 * SECOND } }).times.quiet, 45 * SECOND)
  })

  test('a long response is silent while it plays: it counts for SESSION_IDLE', () => {
    const user = createPretendUser({ policy: 'refuse' })
    const stream = user.start('box@home', '/news.ts', { once: true })
    user.stop(stream.id)
    user.pass(119 * SECOND)
    assert.equal(user.start('bedroom@home', 'film').refused, 'full')
    user.pass(2 * SECOND)
    assert.equal(user.start('bedroom@home', 'film').refused, undefined)
  })
})

describe('ping-pong', () => {
  /** Two players that open anew as soon as they are out. Returns how often they changed places in an hour. */
  const changesInAnHour = (one: string, other: string, everyTry: number, url?: string): number => {
    const user = createPretendUser()
    const more = url === undefined ? {} : { credential: url }
    const players = [one, other].map((viewer) => ({ viewer, id: '' }))
    for (let time = 0; time < 60 * MINUTE; time += everyTry) {
      for (const player of players) {
        if (user.isIn(player.id)) continue
        const tried = user.start(player.viewer, 'news', more)
        if (tried.refused === undefined) player.id = tried.id
      }
      user.pass(everyTry)
    }
    return user.displaced.length
  }

  test('a set-top box that asks for a new link on every 403 stays out: one change in an hour', () => {
    for (const seconds of [1, 5, 10, 15]) {
      assert.equal(changesInAnHour('one@home', 'other@home', seconds * SECOND), 1)
      assert.equal(changesInAnHour('one@home', 'other@away', seconds * SECOND), 1)
    }
  })

  test('a player that makes a new playback id for each try stays out, too', () => {
    const user = createPretendUser()
    const open = (playback: string) =>
      user.open(session('phone@home', 'news', { id: playback, viewer: `phone@home ${playback}`, playback }))
    open('first')
    user.start('tv@home', 'film')
    user.pass(SECOND)
    assert.equal(open('second').refused, 'held')
  })

  test('a move by the same player and credential is not held; the third within a minute is, for 20 s', () => {
    const user = createPretendUser()
    const url = { credential: 'url' }
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

  test('two equal boxes with one constant URL at two addresses settle', () => {
    const changes = changesInAnHour('box@one', 'box@other', 10 * SECOND, 'url')
    assert.ok(changes <= 4, `${changes}`)
  })

  test('the come-back is 20 s after the last try, and another channel clears it', () => {
    const user = createPretendUser()
    user.start('tv@home', 'news')
    user.pass(MINUTE)
    user.start('phone@home', 'film')
    user.pass(19 * SECOND)
    assert.equal(user.start('tv@home', 'news').refused, 'held')
    user.pass(19 * SECOND)
    assert.equal(user.start('tv@home', 'news').refused, 'held')
    assert.equal(user.start('tv@home', 'sports').refused, undefined)
    user.pass(SECOND)
    assert.equal(user.start('tv@home', 'news').refused, undefined)
  })

  test('zapping back to the very same URL is let in once another channel was watched', () => {
    const user = createPretendUser()
    const url = { credential: 'url of news' }
    user.start('tv@home', 'news', url)
    user.pass(MINUTE)
    user.start('phone@home', 'film')
    user.pass(SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, 'held')
    assert.equal(user.start('tv@home', 'sports').refused, undefined)
    user.pass(SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('two equal boxes behind one address, each with a new link when it is out, do not both play', () => {
    const user = createPretendUser()
    const boxes = ['news', 'sports'].map((place) => ({ place, id: '' }))
    let both = 0
    for (let time = 0; time < 60 * MINUTE; time += SECOND) {
      for (const box of boxes) {
        if (user.isIn(box.id)) continue
        const tried = user.start('box@home', box.place)
        if (tried.refused === undefined) box.id = tried.id
      }
      user.pass(SECOND)
      if (boxes.every(({ id }) => user.isIn(id))) both += SECOND
    }
    assert.ok(both < 2 * MINUTE, `${both / SECOND} s of an hour`)
  })
})

describe('a held URL', () => {
  const url = { credential: 'url of news' }
  const displaced = () => {
    const user = createPretendUser()
    user.start('tv@home', 'news', url)
    user.pass(MINUTE)
    const phone = user.start('phone@home', 'film')
    return { user, phone }
  }

  test('stays out for as long as it is tried once every SESSION_LIMIT_HOLD', () => {
    const { user } = displaced()
    for (let tries = 0; tries < 30; tries++) {
      user.pass(59 * SECOND)
      assert.equal(user.start('tv@home', 'news', url).refused, 'held')
    }
    user.pass(61 * SECOND)
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('is let in at once where there is room', () => {
    const { user, phone } = displaced()
    user.leave(phone.id, 'closed')
    assert.equal(user.start('tv@home', 'news', url).refused, undefined)
  })

  test('stays out from another address, too', () => {
    const { user } = displaced()
    assert.equal(user.start('tv@mobile', 'news', url).refused, 'held')
  })

  test('holds nobody who was silent when displaced', () => {
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

describe('the same credential from the same address is never another', () => {
  test('a preflight by another library displaces nothing, and is not refused', () => {
    for (const policy of ['newest', 'refuse'] as const) {
      const user = createPretendUser({ policy })
      for (const place of ['news', 'sports', 'film']) {
        const url = { credential: `url of ${place}` }
        const preflight = user.start('okhttp@home', place, url)
        assert.equal(preflight.refused, undefined)
        user.stop(preflight.id)
        user.pass(SECOND)
        const player = user.start('exoplayer@home', place, url)
        assert.equal(player.refused, undefined)
        user.pass(MINUTE)
        assert.ok(user.isIn(player.id))
        user.stop(player.id)
      }
      assert.deepEqual(user.displaced, [])
    }
  })

  test('two libraries that go on requesting one channel count once', () => {
    const user = createPretendUser()
    const url = { credential: 'url' }
    user.start('okhttp@home', 'news', url)
    user.start('exoplayer@home', 'news', url)
    user.pass(5 * MINUTE)
    assert.equal(user.ids().length, 2)
    assert.equal(user.count(), 1)
  })

  test('at two channels they count twice', () => {
    const user = createPretendUser()
    const url = { credential: 'constant' }
    user.start('tv@home', 'news', url)
    user.start('phone@home', 'sports', url)
    user.pass(25 * SECOND)
    assert.equal(user.ids().length, 1)
  })
})

describe('polling is playing', () => {
  /** `count` channels in turn, each for `every` / `count`, by one box with one constant URL a channel. */
  const poll = (count: number, every: number, how: 'riding' | 'opening') => {
    const user = createPretendUser()
    const ids = Array.from({ length: count }, () => '')
    const served = ids.map(() => 0)
    const MEASURED = 10 * MINUTE
    for (let time = 0; time < 5 * MINUTE + MEASURED; time += every / count) {
      const at = Math.round(time / (every / count)) % count
      const id = ids[at] ?? ''
      let isServed = how === 'riding' && user.request(id)
      if (!isServed) {
        const tried = user.start('box@home', `channel ${at}`, { credential: `url ${at}` })
        isServed = tried.refused === undefined
        if (isServed) ids[at] = tried.id
        user.stop(tried.id)
      }
      if (isServed && time >= 5 * MINUTE) served[at] = (served[at] ?? 0) + 1
      user.pass(every / count)
    }
    const rounds = MEASURED / every
    return served.reduce((sum, one) => sum + one, 0) / rounds
  }

  for (const how of ['riding', 'opening'] as const)
    test(`eight channels in turn every 24 s, ${how}, are not one`, () => {
      assert.ok(poll(8, 24 * SECOND, how) <= 2.5, `${poll(8, 24 * SECOND, how)} channels a round`)
    })

  for (const how of ['with the same URL', 'with a new link', 'riding'] as const)
    test(`who goes back and forth between two channels, ${how}, is a person for 40 s at least`, () => {
      for (const seconds of [2, 5, 8, 10, 14, 20, 30, 60]) {
        const user = createPretendUser()
        const ids = ['', '']
        for (let flip = 0; flip * seconds < 40 || flip < 6; flip++) {
          const at = flip % 2
          if (how !== 'riding' || !user.resume(ids[at] ?? '')) {
            const url = how === 'with a new link' ? {} : { credential: `url ${at}` }
            const opened = user.start('tv@home', `channel ${at}`, url)
            assert.equal(opened.refused, undefined, `flip ${flip} after ${seconds} s`)
            ids[at] = opened.id
          }
          user.pass(seconds * SECOND)
          user.stop(ids[at] ?? '')
        }
      }
    })

  test('back on a polled channel, riding, it is the newest: what is watched is not displaced', () => {
    for (let flips = 3; flips < 10; flips++) {
      const user = createPretendUser({ max: 2 })
      const ids = ['', '']
      for (let flip = 0; flip < flips; flip++) {
        user.pass(17 * SECOND)
        const at = flip % 2
        user.stop(ids[1 - at] ?? '')
        if (!user.resume(ids[at] ?? '')) ids[at] = user.start('tv@home', `channel ${at}`).id
      }
      user.pass(6 * SECOND)
      user.start('phone@home', 'film')
      assert.ok(user.isIn(ids[(flips - 1) % 2] ?? ''), `${flips} flips`)
    }
  })

  test('a channel entered three times is left like any other, when it was watched for long', () => {
    const user = createPretendUser()
    for (const place of ['news', 'sports', 'news', 'sports', 'news']) {
      user.stop(user.start('tv@home', place).id)
      user.pass(10 * SECOND)
    }
    const watched = user.start('tv@home', 'news')
    user.pass(5 * MINUTE)
    user.stop(watched.id)
    user.start('tv@home', 'film')
    assert.equal(
      user.displaced.some(({ id }) => id === watched.id),
      false,
    )
  })
})

describe('a shared name', () => {
  test('displaced from more than 10 addresses within a minute: the limit is suspended, and said', () => {
    const user = createPretendUser()
    const last = Array.from({ length: 12 }, (_, n) => {
      user.pass(SECOND)
      return user.start(`box${n}@address${n}`, 'news')
    }).at(-1)
    assert.equal(user.displaced.length, 11)
    assert.ok(user.user().sharedUntil > user.now())
    const next = user.start('box@elsewhere', 'film')
    assert.equal(next.refused, undefined)
    assert.ok(user.isIn(last?.id ?? ''))
    assert.ok((describeUser(user.user(), user.now(), user.times).sharedUntil ?? 0) > user.now())
    user.pass(5 * MINUTE)
    assert.equal(user.ids().length, 2)
    // It ends with the crowd.
    user.pass(6 * MINUTE)
    assert.equal(user.ids().length, 1)
  })

  test('10 addresses, or one box that is displaced all the time, is no shared name', () => {
    const user = createPretendUser()
    for (let n = 0; n < 11; n++) user.start(`box${n}@address${n}`, 'news')
    assert.equal(user.user().sharedUntil, 0)
    const home = createPretendUser()
    for (let n = 0; n < 100; n++) home.start(`box${n % 2}@home`, `channel ${n}`)
    assert.equal(home.user().sharedUntil, 0)
  })
})

describe('adopted and resumed', () => {
  test('an adopted session enters with its true age: after a restart the newest still wins', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const user = createPretendUser()
      const old = session('tv@home', 'news', { id: 'old' })
      const young = session('phone@home', 'film', { id: 'young' })
      const ages = [
        { session: old, entered: user.now() - 10 * MINUTE },
        { session: young, entered: user.now() - MINUTE },
      ]
      for (const at of order) {
        const one = ages[at]
        if (one !== undefined) user.open(one.session, { entered: one.entered, seen: user.now() - SECOND })
      }
      assert.deepEqual(user.ids(), ['young'])
    }
  })

  test('what the state does not know is told back, to be admitted with its age; a mark is not', () => {
    const { times } = createPretendUser()
    const marked = leave(nobody, 0, 'marked', 'closed', times)
    const seen = ['marked', 'forgotten'].map((id) => ({ id, seen: 1_000 }))
    assert.deepEqual(unknownTo(marked, 2_000, seen, times), ['forgotten'])
    assert.equal(touch(marked, 2_000, 'marked', 1_000, times), 'out')
    assert.equal(touch(marked, 2_000, 'forgotten', 1_000, times), 'unknown')
    const { user } = admit(marked, 2_000, session('tv@home', 'news'), { max: 1, policy: 'newest' }, times)
    assert.equal(touch(user, 3_000, 'tv@home news', 2_500, times), 'in')
  })

  test('a resumed session enters anew: it is the newest', () => {
    const user = createPretendUser()
    const first = session('tv@home', 'news', { id: 'first' })
    user.open(first)
    user.leave('first', 'idle')
    user.pass(10 * MINUTE)
    const phone = user.start('phone@home', 'film')
    assert.equal(user.open(first).refused, undefined)
    assert.equal(user.isIn(phone.id), false)
  })

  test('a resume without a credential displaces nobody, at once or later', () => {
    for (const policy of ['newest', 'refuse'] as const) {
      const user = createPretendUser({ policy, max: 2 })
      const television = user.start('tv@home', 'news')
      user.pass(SECOND)
      // There is room.
      const resumed = user.start('box@home', 'sports', {}, { tokenless: true })
      assert.equal(resumed.refused, undefined)
      user.pass(SECOND)
      assert.notEqual(user.start('tablet@home', 'sports', {}, { tokenless: true }).refused, undefined)
      assert.deepEqual(user.displaced, [])
      // Somebody with a credential plays beside: the resumed one gives way, though not the oldest.
      user.start('tv@home', 'film')
      user.pass(25 * SECOND)
      assert.equal(user.isIn(resumed.id), false)
      assert.ok(user.isIn(television.id))
    }
  })

  test('a neighbour who resumes without a credential does not take along what the owner plays', () => {
    const user = createPretendUser({ max: 2 })
    user.start('tv@home', 'news')
    user.pass(SECOND)
    const owner = user.start('box@home', 'sports')
    user.pass(MINUTE)
    user.start('box@home', 'film', {}, { tokenless: true })
    user.pass(SECOND)
    user.start('phone@home', 'news')
    user.pass(SECOND)
    assert.ok(user.isIn(owner.id))
  })
})

test('a state is plain data: it outlives its process, under a clock that begins anew', () => {
  const user = createPretendUser()
  const url = { credential: 'url of news' }
  const television = user.start('tv@home', 'news', url)
  user.pass(MINUTE)
  const phone = user.start('phone@home', 'film')
  user.pass(SECOND)
  const by = -user.now()
  const kept: User = movedBy(JSON.parse(JSON.stringify(user.user())), by)
  assert.deepEqual(movedBy(kept, -by), user.user())
  const terms = { max: 1, policy: 'newest' } as const
  const again = session('tv@home', 'news', { ...url, id: 'again' })
  assert.equal(admit(kept, 0, again, terms, user.times).refused, 'held')
  assert.equal(
    admit(kept, 0, session('tv@home', 'news', { id: television.id }), terms, user.times).refused,
    'ended',
  )
  assert.equal(touch(kept, 0, phone.id, 0, user.times), 'in')
})

describe('marks win', () => {
  for (const why of ['closed', 'denied'] as const)
    test(`a session that was ${why} does not come back under its id, whatever else happens`, () => {
      const user = createPretendUser({ max: 100 })
      const one = session('tv@home', 'news', { id: 'one' })
      user.open(one)
      user.leave('one', why)
      for (let n = 0; n < 2_000; n++) user.leave(`other ${n}`, 'closed')
      assert.equal(user.open(one, { entered: user.now() - MINUTE }).refused, 'ended')
      assert.equal(whyOut(user.user(), user.now(), one, user.times).mark?.why, why)
      user.pass(2 * user.times.idle)
      assert.equal(user.open(one).refused, 'ended')
    })

  test('nor does a displaced one; a new session of the same viewer may', () => {
    const user = createPretendUser()
    const one = session('tv@home', 'news', { id: 'one' })
    user.open(one)
    user.pass(MINUTE)
    const phone = user.start('phone@home', 'film')
    const { mark, holds } = whyOut(user.user(), user.now(), one, user.times)
    assert.deepEqual([mark?.why, mark?.by, mark?.at], ['displaced', phone.id, user.now()])
    assert.deepEqual(
      holds.map(({ cause, by }) => [cause, by]),
      [['other', phone.id]],
    )
    user.leave(phone.id, 'idle')
    assert.equal(user.open(one).refused, 'ended')
    assert.equal(user.start('tv@home', 'news').refused, undefined)
  })
})

describe('terms change while a user plays', () => {
  test('a smaller number of the last allow counts at once; a larger one lets more in', () => {
    const user = createPretendUser({ max: 3 })
    const [first, second, third] = ['tv', 'phone', 'tablet'].map((player) => {
      user.pass(SECOND)
      return user.start(`${player}@home`, 'news').id
    })
    user.allow({ max: 2 })
    user.pass(MINUTE)
    const fourth = user.start('bedroom@home', 'film').id
    assert.deepEqual(user.ids(), [third, fourth])
    assert.ok(!user.isIn(first ?? '') && !user.isIn(second ?? ''))
    user.allow({ max: 3 })
    user.start('kitchen@home', 'news')
    assert.equal(user.ids().length, 3)
  })
})

describe('the state of one user is bounded', () => {
  test('whatever they open, and nothing stays for long', () => {
    const user = createPretendUser({ max: 3 })
    for (let n = 0; n < 3_000; n++) {
      user.start(`box${n % 700}@home`, `channel ${n % 900}`)
      user.pass(20)
    }
    const { entries, marks, holds, cuts } = user.user()
    assert.ok(entries.length <= 512 && marks.length <= 1_003 && holds.length <= 1_003 && cuts.length <= 128)
    assert.ok(lastsUntil(user.user(), user.times) <= user.now() + user.times.mark)
    for (const id of user.ids()) user.stop(id)
    user.pass(user.times.mark + 2 * user.times.idle)
    assert.ok(user.isEmpty())
  })

  test('one viewer with a thousand URLs of one channel is one play', () => {
    const user = createPretendUser()
    for (let n = 0; n < 1_000; n++) assert.equal(user.start('box@home', '/live/').refused, undefined)
    assert.equal(user.user().entries.length, 512)
    assert.equal(user.count(), 1)
  })
})

/** How a session stands after a look at it alone. */
function touch(user: User, now: number, id: string, seen: number, times: Times): 'in' | 'out' | 'unknown' {
  const { entries, marks } = look(user, now, [{ id, seen }], times).user
  if (entries.some((entry) => entry.id === id)) return 'in'
  return marks.some((mark) => mark.id === id) ? 'out' : 'unknown'
}
