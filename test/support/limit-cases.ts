import assert from 'node:assert/strict'
import type { Grant } from '../../src/verdict.ts'
import { type LimitCase, playOn } from './limit-stage.ts'

const OUT = 'session-limit'

const only = (userId: string, more: Partial<Grant> = {}): (() => Grant) => {
  return () => ({ userId, maxSessions: '1', ...more })
}

/** The table of cases of docs/sessions.md, and what the rules say of each. */
export const limitCases: readonly LimitCase[] = [
  {
    name: 'a family with two devices: the phone starts, the television is out until a person presses play',
    async play(stage) {
      const [television, phone] = [stage.viewer('tv'), stage.viewer('phone')]
      assert.equal(await television.open('news', 'tv-1'), 'allow')
      assert.deepEqual(await playOn(stage, 4, [television, 'news']), ['allow'])
      assert.equal(await phone.open('film', 'phone-1'), 'allow')
      assert.equal(await television.segment('news'), OUT)
      assert.equal(await television.open('news', 'tv-1'), OUT, 'the very same URL')
      assert.equal(await television.open('news', 'tv-2'), OUT, 'a new link, asked for by the box')
      assert.deepEqual(await playOn(stage, 16, [phone, 'film']), ['allow'])
      assert.equal(await television.open('news', 'tv-1'), OUT, 'the very same URL, later')
      // That try has put off the end.
      assert.deepEqual(await playOn(stage, 22, [phone, 'film']), ['allow'])
      assert.equal(await television.open('news', 'tv-1'), 'allow', 'a person has pressed play')
      assert.equal(await phone.segment('film'), OUT)
    },
  },
  {
    name: 'another channel is a person’s act: let in at once, and the newest plays',
    quick: true,
    async play(stage) {
      const [television, phone] = [stage.viewer('tv'), stage.viewer('phone')]
      await television.open('news', 'tv-1')
      await stage.wait(2)
      await phone.open('film', 'phone-1')
      assert.equal(await television.segment('news'), OUT)
      assert.equal(await television.open('sports', 'tv-2'), 'allow')
      assert.equal(await phone.segment('film'), OUT)
      assert.deepEqual(await playOn(stage, 4, [television, 'sports']), ['allow'])
    },
  },
  {
    name: 'zapping 10 channels in 20 seconds: all are let in, and the last plays on',
    async play(stage) {
      const box = stage.viewer('box')
      for (let channel = 0; channel < 10; channel++) {
        assert.equal(await box.open(`ch${channel}`, `zap-${channel}`), 'allow')
        assert.equal(await box.segment(`ch${channel}`), 'allow')
        await stage.wait(2)
      }
      assert.deepEqual(await playOn(stage, 20, [box, 'ch9']), ['allow'])
    },
  },
  ...[3, 8, 14].map(
    (seconds): LimitCase => ({
      name: `${seconds} seconds of another channel, and back to the session that is there: it plays on`,
      async play(stage) {
        const box = stage.viewer('box')
        await box.open('news', 'news')
        assert.deepEqual(await playOn(stage, 20, [box, 'news']), ['allow'])
        assert.equal(await box.open('sports', 'sports'), 'allow')
        assert.deepEqual(await playOn(stage, seconds, [box, 'sports']), ['allow'])
        assert.equal(await box.open('news', 'news'), 'allow')
        assert.deepEqual(await playOn(stage, 30, [box, 'news']), ['allow'])
      },
    }),
  ),
  {
    name: 'the playlists of neighbours, fetched in advance, displace nothing',
    async play(stage) {
      const box = stage.viewer('box')
      await box.open('news', 'news')
      assert.deepEqual(await playOn(stage, 4, [box, 'news']), ['allow'])
      for (const channel of ['sports', 'film']) assert.equal(await box.open(channel, channel), 'allow')
      assert.deepEqual(await playOn(stage, 40, [box, 'news']), ['allow'])
    },
  },
  ...[1, 2].map(
    (max): LimitCase => ({
      name: `picture in picture with ${max}: ${max === 1 ? 'after a minute the older one ends' : 'both play'}`,
      grant: only('42', { maxSessions: `${max}` }),
      async play(stage) {
        const box = stage.viewer('box')
        await box.open('news', 'news')
        assert.deepEqual(await playOn(stage, 18, [box, 'news']), ['allow'])
        await box.open('sports', 'sports')
        const both = ['allow', 'allow']
        assert.deepEqual(await playOn(stage, 58, [box, 'news'], [box, 'sports']), both)
        const older = max === 1 ? `allow, ${OUT}` : 'allow'
        const seconds = 10 + (stage.later ?? 0)
        assert.deepEqual(await playOn(stage, seconds, [box, 'news'], [box, 'sports']), [older, 'allow'])
      },
    }),
  ),
  ...(['newest', 'refuse'] as const).map(
    (sessionLimit): LimitCase => ({
      name: `${sessionLimit}: a preflight by another library is not another viewer`,
      sessionLimit,
      async play(stage) {
        const [library, player] = [stage.viewer('okhttp'), stage.viewer('exoplayer')]
        for (const channel of ['news', 'sports']) {
          assert.equal(await library.open(channel, channel), 'allow')
          assert.equal(await player.open(channel, channel), 'allow')
          assert.deepEqual(await playOn(stage, 18, [player, channel]), ['allow'])
        }
      },
    }),
  ),
  {
    name: 'a HEAD, as Kodi sends it, displaces nobody; the GET that follows does',
    quick: true,
    async play(stage) {
      const [television, kodi] = [stage.viewer('tv'), stage.viewer('kodi')]
      await television.open('news', 'tv')
      for (let n = 0; n < 3; n++) assert.equal(await kodi.head('film', 'kodi'), 'allow')
      assert.deepEqual(await playOn(stage, 4, [television, 'news']), ['allow'])
      assert.equal(await kodi.open('film', 'kodi'), 'allow')
      assert.equal(await television.segment('news'), OUT)
    },
  },
  {
    name: 'refuse: a television that was switched off keeps the bedroom out for half a minute',
    sessionLimit: 'refuse',
    async play(stage) {
      const [television, bedroom] = [stage.viewer('tv'), stage.viewer('bedroom')]
      await television.open('news', 'tv')
      assert.deepEqual(await playOn(stage, 4, [television, 'news']), ['allow'])
      assert.equal(await bedroom.open('film', 'bedroom-1'), OUT)
      await stage.wait(31 + (stage.later ?? 0))
      assert.equal(await bedroom.open('film', 'bedroom-2'), 'allow')
      assert.equal(await television.segment('news'), OUT)
    },
  },
  {
    name: 'casting and back: each takes over from the other',
    async play(stage) {
      const [phone, cast] = [stage.viewer('phone'), stage.viewer('cast')]
      await phone.open('film', 'phone-1')
      assert.deepEqual(await playOn(stage, 4, [phone, 'film']), ['allow'])
      assert.equal(await cast.open('film', 'cast'), 'allow')
      assert.deepEqual(await playOn(stage, 22, [cast, 'film']), ['allow'])
      assert.equal(await phone.open('film', 'phone-2'), 'allow')
      assert.equal(await cast.segment('film'), OUT)
    },
  },
  ...(['newest', 'refuse'] as const).map(
    (sessionLimit): LimitCase => ({
      name: `${sessionLimit}: Wi-Fi to LTE and back: the phone's own old play goes, and nobody else`,
      sessionLimit,
      grant: only('42', { maxSessions: '2' }),
      async play(stage) {
        const television = stage.viewer('tv')
        const [wifi, lte] = [stage.viewer('phone'), stage.viewer('phone', 'mobile')]
        await television.open('news', 'tv')
        await wifi.open('film', 'phone')
        assert.deepEqual(await playOn(stage, 4, [television, 'news'], [wifi, 'film']), ['allow', 'allow'])
        assert.equal(await lte.open('film', 'phone'), 'allow')
        assert.deepEqual(await playOn(stage, 4, [television, 'news'], [lte, 'film']), ['allow', 'allow'])
        assert.equal(await wifi.open('film', 'phone'), 'allow')
        assert.deepEqual(await playOn(stage, 8, [television, 'news'], [wifi, 'film']), ['allow', 'allow'])
      },
    }),
  ),
  {
    name: 'two equal boxes behind one address, on one channel: they count once',
    async play(stage) {
      const [one, other] = [stage.viewer('box'), stage.viewer('box')]
      assert.equal(await one.open('news', 'one'), 'allow')
      assert.equal(await other.open('news', 'other'), 'allow')
      assert.deepEqual(await playOn(stage, 40, [one, 'news'], [other, 'news']), ['allow', 'allow'])
    },
  },
  {
    name: 'two equal boxes behind one address, on two channels: after a minute one plays on',
    async play(stage) {
      const [one, other] = [stage.viewer('box'), stage.viewer('box')]
      await one.open('news', 'one')
      await other.open('sports', 'other')
      await playOn(stage, 66 + (stage.later ?? 0), [one, 'news'], [other, 'sports'])
      const last = await playOn(stage, 10, [one, 'news'], [other, 'sports'])
      assert.deepEqual(last.sort(), ['allow', OUT])
    },
  },
  {
    name: 'another user behind the same address, with the same player, is not touched',
    grant: (link) => ({ userId: link.slice(0, 2), maxSessions: '1' }),
    async play(stage) {
      const [one, other, phone] = [stage.viewer('box'), stage.viewer('box'), stage.viewer('phone')]
      await one.open('news', 'u1-a')
      await other.open('sports', 'u2-a')
      assert.deepEqual(await playOn(stage, 22, [one, 'news'], [other, 'sports']), ['allow', 'allow'])
      assert.equal(await phone.open('film', 'u1-b'), 'allow')
      assert.deepEqual(await playOn(stage, 4, [one, 'news'], [other, 'sports'], [phone, 'film']), [
        OUT,
        'allow',
        'allow',
      ])
    },
  },
  {
    name: 'four channels, polled in turn, are not one',
    async play(stage) {
      const box = stage.viewer('box')
      let served = 0
      const begun = 64 + (stage.later ?? 0) / 2
      for (let turn = 0; turn < begun + 20; turn++) {
        const channel = `ch${turn % 4}`
        const answer = await box.open(channel, channel)
        if (turn >= begun && answer === 'allow') served++
        await stage.wait(2)
      }
      // The first two minutes look like zapping. Then one of four plays: a quarter of the last 20 requests.
      assert.ok(served <= 8, `${served} of 20`)
    },
  },
  {
    name: 'two boxes that ask for a new link on each 403 do not play ping-pong',
    async play(stage) {
      const boxes = [stage.viewer('one'), stage.viewer('other')]
      const plays = [false, false]
      let openings = 0
      for (let time = 0; time < 70; time += 5) {
        for (const [at, box] of boxes.entries()) {
          if (plays[at]) plays[at] = (await box.segment('news')) === 'allow'
          if (plays[at]) continue
          plays[at] = (await box.open('news', `${at}-${time}`)) === 'allow'
          if (plays[at]) openings++
        }
        await stage.wait(5)
      }
      assert.equal(openings, 2)
    },
  },
  {
    name: 'a name that everybody has: the newest plays',
    async play(stage) {
      const boxes = Array.from({ length: 14 }, (_, n) => stage.viewer('box', `house-${n}`))
      for (const [n, box] of boxes.entries()) assert.equal(await box.open('news', `box-${n}`), 'allow')
      const last = boxes.slice(11).map((box) => [box, 'news'] as const)
      assert.deepEqual(await playOn(stage, 8, ...last), [OUT, OUT, 'allow'])
    },
  },
  ...['0', '-', 'null', 'guest', ''].map(
    (userId): LimitCase => ({
      name: `${userId === '' ? 'no user' : `the user ${userId}`} is nobody: there is no limit`,
      grant: only(userId),
      play: bothPlay,
    }),
  ),
  ...['', 'many', '-1', '1.5', '0x1', '1e0', '99999999999999999999', '0'].map(
    (maxSessions): LimitCase => ({
      name: `X-Max-Sessions: ${maxSessions || 'nothing'}: there is no limit`,
      grant: only('42', { maxSessions }),
      play: bothPlay,
    }),
  ),
  {
    name: 'refuse: X-Unique: true beats it, and the newest plays',
    quick: true,
    sessionLimit: 'refuse',
    grant: only('42', { unique: 'true' }),
    async play(stage) {
      const [television, phone] = [stage.viewer('tv'), stage.viewer('phone')]
      await television.open('news', 'tv')
      assert.equal(await phone.open('film', 'phone'), 'allow')
      assert.equal(await television.segment('news'), OUT)
    },
  },
  {
    name: 'report: nobody is refused',
    quick: true,
    sessionLimit: 'report',
    grant: only('42', { unique: 'true' }),
    play: bothPlay,
  },
]

async function bothPlay(stage: Parameters<LimitCase['play']>[0]): Promise<void> {
  const [television, phone] = [stage.viewer('tv'), stage.viewer('phone', 'away')]
  assert.equal(await television.open('news', 'tv'), 'allow')
  assert.equal(await phone.open('film', 'phone'), 'allow')
  assert.deepEqual(await playOn(stage, 4, [television, 'news'], [phone, 'film']), ['allow', 'allow'])
}
