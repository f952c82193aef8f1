import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createChance } from '../support/create-chance.ts'
import { createPretendUser } from '../support/pretend-user.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Where between two requests a person presses the button. */
const PHASES = Array.from({ length: 25 }, (_, n) => n * 137)

describe('what the rules mean for people, simulated', () => {
  test('a short look elsewhere and back, or neighbours loaded in advance, cut nobody', () => {
    for (const seconds of [3, 8, 14, 16, 20, 25, 40, 70])
      for (const phase of PHASES)
        for (const url of [{ credential: 'n' }, {}]) {
          const user = createPretendUser()
          const watched = user.start('tv@home', 'news', url, {}, 3_700)
          user.pass(MINUTE + phase)
          user.stop(watched.id)
          const peek = user.start('tv@home', 'sports', {}, {}, 2_900)
          user.pass(seconds * SECOND)
          user.stop(peek.id)
          assert.equal(user.start('tv@home', 'news', url, {}, 3_700).refused, undefined)
          user.pass(2 * MINUTE)
          assert.deepEqual(user.displaced, [], `${seconds} s, phase ${phase}`)
        }
    for (const again of [10, 30])
      for (const phase of PHASES) {
        const user = createPretendUser()
        user.start('tv@home', 'news')
        user.pass(MINUTE + phase)
        for (let n = 0; n < 5; n++) {
          user.stop(user.start('tv@home', 'sports').id)
          user.pass(again * SECOND)
        }
        assert.deepEqual(user.displaced, [], `every ${again} s, phase ${phase}`)
      }
  })

  test('who flips between two channels is a person for a minute, and for ever every 20 s', () => {
    for (const seconds of [2, 5, 10, 18, 20, 30, 60]) {
      const user = createPretendUser()
      for (let flip = 0; flip * seconds < (seconds < 20 ? 60 : 300); flip++) {
        const { id, refused } = user.start('tv@home', `c${flip % 2}`)
        assert.equal(refused, undefined, `flip ${flip} after ${seconds} s`)
        user.pass(seconds * SECOND)
        assert.ok(user.isIn(id))
        user.stop(id)
      }
    }
  })

  test('a random zapper among 3 channels, N=2 beside a television: 1 in 500 refused, the television never cut', (t) => {
    const chance = createChance(7)
    const sums = { zaps: 0, refused: 0, cut: 0, television: 0 }
    for (let run = 0; run < 20; run++) {
      const user = createPretendUser({ max: 2 })
      const television = user.start('tv@home', 'film')
      const ids: string[] = []
      let at = 0
      for (let time = 0; time < 3_600; ) {
        at = (at + 1 + Math.floor(chance() * 2)) % 3
        if (chance() < 0.5 || !user.resume(ids[at] ?? '')) {
          const opened = user.start('box@home', `c${at}`, { credential: `u${at}` })
          if (opened.refused !== undefined) sums.refused++
          ids[at] = opened.id
        }
        sums.zaps++
        const stay = 60 ** chance()
        const was = user.isIn(ids[at] ?? '')
        user.pass(Math.round(stay * SECOND))
        if (was && !user.isIn(ids[at] ?? '')) sums.cut++
        user.stop(ids[at] ?? '')
        time += stay
      }
      if (!user.isIn(television.id)) sums.television++
    }
    t.diagnostic(JSON.stringify(sums))
    assert.ok(sums.zaps > 4_000 && sums.refused * 500 <= sums.zaps * 2 && sums.cut <= 5, JSON.stringify(sums))
    assert.equal(sums.television, 0)
  })

  /** Two players that try again by themselves whenever they are out: how often they change places in an hour. */
  const changes = (
    link: 'same' | 'new',
    elsewhere: boolean,
    everyTry: readonly [number, number],
    place: string,
  ) => {
    const user = createPretendUser()
    const players = everyTry.map((every, n) => ({ every, n, id: '', next: n * 700, tries: 0 }))
    let changed = 0
    for (let time = 0; time < 60 * MINUTE; time += 500) {
      for (const player of players) {
        if (time < player.next || user.isIn(player.id)) continue
        player.next = time + player.every * SECOND
        const credential = link === 'same' ? `u${player.n}` : `n${player.n} ${player.tries++}`
        const viewer = `box${elsewhere ? '' : player.n}@${elsewhere ? player.n : 'home'}`
        const channel = place === '' ? `c${player.n}-${player.tries % 2}` : place
        const opened = user.start(viewer, channel, { credential })
        if (opened.refused !== undefined) continue
        player.id = opened.id
        changed++
      }
      user.pass(500)
    }
    return changed - 2
  }

  test('two players that take turns by themselves settle: four changes an hour', () => {
    for (const seconds of [1, 5, 18, 25, 40, 55])
      for (const link of ['same', 'new'] as const)
        for (const place of ['news', '']) {
          const most = changes(link, false, [seconds, seconds], place)
          assert.ok(most <= 4, `${link}, ${seconds} s, ${place}: ${most}`)
        }
  })

  test('an unattended box does not win against an equal one elsewhere at which somebody sits', () => {
    for (const every of [2_000, 6_000, 10_000]) {
      const user = createPretendUser()
      user.start('box@one', 'news', {}, {}, every)
      user.pass(MINUTE)
      let at = user.start('box@other', 'news', {}, {}, every).id
      for (let second = 0; second < 600; second += 2) {
        user.pass(2 * SECOND)
        // The person zaps now and then; after the first minute they pause for 25 s.
        if (second % 60 === 30) {
          user.stop(at)
          at = user.start('box@other', `c${second}`, {}, {}, every).id
        }
        if (second === 120) user.stop(at)
        if (second === 144) user.resume(at)
        assert.equal(user.start('box@one', 'news', {}, {}, every).refused, 'held', `after ${second} s`)
      }
      assert.ok(user.isIn(at))
    }
  })

  test('a shared name at two addresses, or one box that retries, never plays twice for more than 66 s', (t) => {
    for (const viewers of [
      ['box@a', 'box@b'],
      ['box@a', 'box@a'],
    ]) {
      const user = createPretendUser()
      const boxes = viewers.map((viewer, n) => ({ viewer, n, id: '' }))
      let [both, longest, all] = [0, 0, 0]
      for (let time = 0; time < 60 * MINUTE; time += SECOND) {
        for (const box of boxes) if (!user.isIn(box.id)) box.id = user.start(box.viewer, `c${box.n}`).id
        user.pass(SECOND)
        both = boxes.every(({ id }) => user.isIn(id)) ? both + 1 : 0
        if (both > 0) all++
        longest = Math.max(longest, both)
      }
      t.diagnostic(`${viewers.join(' ')}: longest ${longest} s, ${(all / 36).toFixed(1)} % of the hour`)
      assert.ok(longest <= 66 && all <= 120)
    }
  })
})
