import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { change } from '../../src/limit/rules.ts'
import { createUsers, type Rule } from '../../src/limit/users.ts'
import { SHIPPED, session } from '../support/pretend-user.ts'
import { createSharedGates, type SharedGates } from '../support/shared-gates.ts'

const SECOND = 1_000
/** SESSION_IDLE / 4, and a turn. */
const REPORT = 30 * SECOND + 100
const OUT = 'deny session-limit'

function twoGates(max = 1, gates = createSharedGates({ grant: { userId: '42', maxSessions: `${max}` } })) {
  const [one, other] = gates.all
  assert.ok(one !== undefined && other !== undefined)
  return { gates, one, other }
}

const reach = ({ all }: SharedGates, isReached: boolean): void => {
  for (const { connection } of all) connection.reaches(isReached)
}

describe('while the store is away', () => {
  test('each gate limits by itself at once: no opening waits for the store', async () => {
    const { gates, one } = twoGates()
    reach(gates, false)
    const [tv, phone] = [one.viewer('tv'), one.viewer('phone')]
    let turns = 0
    const count = (): void => {
      turns++
      turning = setImmediate(count)
    }
    let turning = setImmediate(count)
    assert.equal(await tv.open('news'), 'allow backend-200')
    assert.equal(await phone.open('film'), 'allow backend-200')
    assert.equal(await tv.segment('news'), OUT)
    clearImmediate(turning)
    assert.ok(turns <= 1, `${turns} turns of the event loop`)
    assert.ok(one.alone() >= 2)
    assert.equal(gates.values.written(), 0)
  })

  test('a command that was under way, and those that waited for it, are done alone', async () => {
    const { one } = twoGates()
    const answers = ['tv', 'phone', 'box'].map((name) => one.viewer(name).open('news', `good-${name}`))
    one.connection.reaches(false)
    assert.deepEqual(await Promise.all(answers), Array(3).fill('allow backend-200'))
    assert.equal([...one.sessions.all()].length, 1)
  })
})

describe('when the store is back', () => {
  test('one report later the number is kept, and the older one gives way', async () => {
    const { gates, one, other } = twoGates()
    reach(gates, false)
    const [tv, phone] = [one.viewer('tv'), other.viewer('phone')]
    await tv.open('news')
    await gates.pass(5 * SECOND)
    await phone.open('film')
    const play = async (milliseconds: number): Promise<string[]> => {
      for (let left = milliseconds; left > 0; left -= SECOND) {
        await gates.pass(Math.min(SECOND, left))
        await tv.segment('news')
        await phone.segment('film')
      }
      return [await tv.segment('news'), await phone.segment('film')]
    }
    assert.deepEqual(await play(20 * SECOND), ['allow riding', 'allow riding'])
    reach(gates, true)
    assert.deepEqual(await play(REPORT), [OUT, 'allow riding'])
    assert.deepEqual(
      gates.user().entries.map(({ id }) => id),
      gates.sessions().map(({ id }) => id),
    )
  })

  test('an end that happened meanwhile is told, though another gate has changed the user since', async () => {
    const { gates, one, other } = twoGates(3)
    await one.viewer('tv').open('news')
    await other.viewer('phone').open('film')
    one.connection.reaches(false)
    const [ended] = one.sessions.all()
    assert.ok(ended !== undefined)
    one.sessions.end(ended, 'closed')
    // The other gate goes on.
    await other.viewer('box').open('sports')
    assert.ok(gates.user().entries.some(({ id }) => id === ended.id))
    one.connection.reaches(true)
    await gates.pass(REPORT)
    assert.ok(!gates.user().entries.some(({ id }) => id === ended.id))
  })

  test('who was displaced meanwhile is told and held, though another gate has changed the user since', async () => {
    const { gates, one, other } = twoGates()
    const tv = one.viewer('tv')
    await tv.open('news')
    const [ended] = one.sessions.all()
    one.connection.reaches(false)
    await one.viewer('phone').open('film')
    assert.equal(await tv.segment('news'), OUT)
    gates.values.forget()
    await other.viewer('box', '192.0.2.9').open('sports')
    one.connection.reaches(true)
    await gates.pass(6 * SECOND)
    const { entries, outs } = gates.user()
    assert.ok(!entries.some(({ id }) => id === ended?.id))
    assert.ok(outs.some(({ place }) => place === '/live/news/'))
    assert.equal(await tv.open('news'), OUT)
  })

  test('and it has lost everything: who plays enters by their true age with the next change of any kind', async () => {
    const { gates, one } = twoGates(2)
    await one.viewer('tv').open('news')
    await gates.pass(2 * SECOND)
    await one.viewer('phone').open('film')
    await gates.pass(2 * SECOND)
    const [phone, tv] = one.sessions.all()
    assert.ok(tv !== undefined && phone !== undefined)
    gates.values.forget()
    one.sessions.end(phone, 'closed')
    await gates.quiet()
    assert.deepEqual(
      gates.user().entries.map(({ id, since }) => [id, since]),
      [[tv.id, gates.now() - 4 * SECOND]],
    )
    assert.equal(one.limit?.waiting.size, 0)
  })
})

for (const by of [-600_000, 7_200_000])
  test(`the clock of the store is set by ${by / SECOND} s: within 10 s users are told again, and limits hold`, async () => {
    const gates = createSharedGates({ limit: { sessionLimit: 'refuse' } })
    const [one, other] = gates.all
    assert.ok(one !== undefined && other !== undefined)
    const tv = one.viewer('tv')
    await tv.open('news')
    const play = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        await gates.pass(SECOND)
        assert.equal(await tv.segment('news'), 'allow riding')
      }
    }
    await play(40)
    gates.setClock(by)
    await play(10)
    const [entry] = gates.user().entries
    assert.ok(entry !== undefined && gates.now() - entry.seen <= 10 * SECOND)
    assert.ok(Math.abs(gates.now() - entry.since - 50 * SECOND) <= SECOND, `${gates.now() - entry.since}`)
    assert.equal(await other.viewer('phone', '192.0.2.9').open('film'), OUT)
    await play(5)
  })

test('the times of the first user are right where the store was opened a moment ago, a folder too', async () => {
  let offset = 0
  const texts = {
    isShared: false,
    isUsable: () => true,
    read: async () => undefined,
    write: async (_user: string, text: string) => ({ text, version: Buffer.alloc(0) }),
    now: () => 5_000 + offset,
  }
  const stored = { texts, gate: '', endElsewhere() {}, onAlone() {} }
  const users = createUsers(
    () => 5_000,
    () => SHIPPED,
    stored,
  )
  let look = (): void => {}
  const after = (_milliseconds: number, act: () => void): (() => void) => {
    look = act
    return () => {}
  }
  users.lookAfterAll(after, () => {})
  offset = 1_700_000_000_000
  const opening = {
    what: 'opening',
    session: session('tv@home', '/live/news/'),
    terms: { max: 1, policy: 'newest' },
  } as const
  const rule: Rule = (user, now) => change(user, opening, now, SHIPPED)
  await users.change('42', rule, () => {})
  look()
  assert.deepEqual(
    users.get('42')?.user.entries.map(({ since, seen }) => [since, seen]),
    [[texts.now(), texts.now()]],
  )
})
