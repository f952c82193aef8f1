import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cookieKeyOf } from '../../src/session/session-cookie.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import { createChance } from '../support/create-chance.ts'
import { createLimitedGate, type LimitedGate } from '../support/limited-gate.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { createPretendUserValues } from '../support/pretend-user-values.ts'

const SECOND = 1_000
const OUT = 'deny session-limit'

type Device = (target: string, more?: Partial<Subrequest>) => Promise<string>

/** A device whose openings carry a fresh link each, as Ministra's. */
const device = (gate: LimitedGate, userAgent: string, address: string, cookieMode?: 'on'): Device => {
  return async (target, more = {}) => {
    const { verdict, reason, newCookie } = await gate.decide(
      clientRequest(target, { userAgent, address, ...(cookieMode && { cookieMode }), ...more }),
    )
    if (newCookie !== undefined) given.push(newCookie)
    return `${verdict} ${reason}`
  }
}
/** Values of cookies that were given. */
const given: string[] = []
let links = 0
const opening = (channel: string, file = 'index.m3u8'): string =>
  `/live/${channel}/${file}?token=good-${links++}`

/** Each was seen before these rules, and refused or let in whom it should not. */
describe('found from outside', () => {
  for (const sessionLimit of ['newest', 'refuse'] as const)
    test(`${sessionLimit}: one box zaps among four channels for five minutes: no zap is refused, nothing is dark`, async () => {
      const gate = createLimitedGate({ limit: { sessionLimit } })
      const box = device(gate, 'box', '192.0.2.1')
      const chance = createChance(7)
      for (let time = 0, at = 0; time < 300; ) {
        at = (at + 1 + Math.floor(chance() * 3)) % 4
        assert.match(await box(opening(`ch${at}`)), /^allow/, `at ${time} s`)
        const stay = chance() < 0.6 ? 2 + Math.floor(chance() * 5) : 8 + Math.floor(chance() * 18)
        for (let second = 0; second < stay; second++, time++) {
          gate.pass(SECOND)
          assert.match(await box(`/live/ch${at}/1.ts`), /^allow/, `at ${time} s`)
        }
      }
    })

  for (const sessionLimit of ['newest', 'refuse'] as const)
    test(`${sessionLimit}: with the cookie on, a box that keeps none zaps as with off; one that keeps it mixes HLS, MPEG-TS and films`, async () => {
      for (const keeps of [false, true]) {
        const gate = createLimitedGate({ limit: { sessionLimit } })
        const box = device(gate, 'box', '192.0.2.1', 'on')
        given.length = 0
        for (const file of [
          'index.m3u8',
          'index.m3u8',
          'stream.ts',
          'index.m3u8',
          'film.mp4',
          'index.m3u8',
        ]) {
          const [value] = given
          const cookie = keeps && value !== undefined ? { cookie: keyOf(value) } : {}
          assert.match(
            await box(opening(`ch${links % 2}`, file), cookie),
            /^allow/,
            `${file}, keeps: ${keeps}`,
          )
          gate.pass(3 * SECOND)
        }
      }
    })

  test('ten friends with the first one’s cookie at their opening: two play', async () => {
    const gate = createLimitedGate()
    given.length = 0
    const friends = Array.from({ length: 11 }, (_, n) => device(gate, 'box', `192.0.${n}.1`, 'on'))
    await friends[0]?.(opening('news'))
    const [value = ''] = given
    for (const friend of friends.slice(1)) {
      gate.pass(SECOND)
      await friend(opening('news'), { cookie: keyOf(value) })
    }
    const playing = new Set<number>()
    for (let second = 0; second < 75; second += 3) {
      gate.pass(3 * SECOND)
      playing.clear()
      for (const [n, friend] of friends.entries())
        if ((await friend('/live/news/1.ts')).startsWith('allow')) playing.add(n)
    }
    assert.ok(playing.size <= 2, `${playing.size} play`)
  })

  test('thirteen openings from one home line, or from thirteen, lift nobody’s limit', async () => {
    for (const addressOf of [(n: number) => `2001:db8:1:${n}::1`, (n: number) => `192.0.${n}.1`]) {
      const gate = createLimitedGate({ grant: { userId: '42', maxSessions: '1', unique: 'true' } })
      for (let n = 1; n <= 13; n++) {
        await device(gate, 'box', addressOf(n))(opening('news'))
        gate.pass(80)
      }
      const friends = Array.from({ length: 30 }, (_, n) => device(gate, `friend ${n}`, `198.51.100.${n}`))
      for (const [n, friend] of friends.entries()) await friend(opening(`ch${n}`))
      gate.pass(2 * SECOND)
      const answers = await Promise.all(friends.map((friend, n) => friend(`/live/ch${n}/1.ts`)))
      assert.equal(answers.filter((answer) => answer.startsWith('allow')).length, 1)
    }
  })

  for (const how of ['SIGTERM', 'kill -9'] as const)
    test(`a restart by ${how} does not hand the place back to who was put out`, async () => {
      let now = 0
      const users = createPretendUserValues(
        1,
        () => 1_000_000_000 + now,
        () => {},
        false,
      )
      const shared = { texts: users.connect(), gate: '', endElsewhere() {}, onAlone() {} }
      const grant = { userId: '42', maxSessions: '1', authDuration: '36000' }
      const gate = createLimitedGate({ store: true, shared, grant })
      const pass = async (seconds: number): Promise<void> => {
        for (let left = seconds * 10; left > 0; left--) {
          now += 100
          gate.pass(100)
          await users.quiet()
        }
      }
      const [tv, phone] = [gate.viewer('tv'), gate.viewer('phone')]
      await tv.open('news')
      await pass(2)
      await phone.open('film')
      for (let n = 0; n < 20; n++) {
        await pass(2)
        assert.equal(await phone.segment('film'), 'allow riding')
        assert.equal(await tv.open('news'), OUT)
      }
      if (how === 'SIGTERM') await gate.restart()
      else await gate.crash()
      await pass(2)
      assert.equal(await tv.open('news'), OUT)
      assert.equal(await phone.segment('film'), 'allow adopted')
      await pass(2)
      assert.equal(await tv.open('news'), OUT)
      assert.equal(await phone.segment('film'), 'allow riding')
    })

  test('Wi-Fi, LTE, Wi-Fi with fresh links: back on the former address after 12 s of silence elsewhere', async () => {
    const gate = createLimitedGate()
    const [wifi, lte] = [device(gate, 'phone', '192.0.2.1'), device(gate, 'phone', '198.51.100.1')]
    const play = async (one: Device, seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 2) {
        assert.match(await one('/live/news/1.ts'), /^allow/)
        gate.pass(2 * SECOND)
      }
    }
    await wifi(opening('news'))
    await play(wifi, 6)
    await lte(opening('news'))
    await play(lte, 8)
    let dark = 0
    for (; !(await wifi(opening('news'))).startsWith('allow'); dark += 2) gate.pass(2 * SECOND)
    assert.ok(dark <= 12, `${dark} s`)
  })

  for (const sessionLimit of ['newest', 'refuse'] as const)
    test(`${sessionLimit}: two equal boxes behind one address, N=2, zap among six channels: none is cut or refused`, async () => {
      const gate = createLimitedGate({ limit: { sessionLimit }, grant: { userId: '42', maxSessions: '2' } })
      const boxes = [0, 1].map(() => ({ ask: device(gate, 'box', '192.0.2.1'), at: 0, until: 0 }))
      const chance = createChance(11)
      let dark = 0
      for (let time = 0; time < 200; time++) {
        for (const box of boxes) {
          const isZap = time >= box.until
          if (isZap) {
            box.at = Math.floor(chance() * 6)
            box.until = time + (chance() < 0.6 ? 2 + Math.floor(chance() * 5) : 8 + Math.floor(chance() * 18))
          }
          const target = isZap ? opening(`ch${box.at}`) : `/live/ch${box.at}/1.ts`
          if (!(await box.ask(target)).startsWith('allow')) dark++
        }
        gate.pass(SECOND)
      }
      assert.equal(dark, 0, `${dark} of 400 device seconds`)
    })
})

/** The key of a cookie's value, as the gate reads it. */
function keyOf(value: string): string {
  return cookieKeyOf(value, 'https://live.example.com')
}
