import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { End } from '../../src/decision/stored.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session, type SessionEnd } from '../../src/session/session.ts'
import { createSessionTable, type SessionTable } from '../../src/session/session-table.ts'
import { createSessionStore, type SessionStore } from '../../src/state/session-store.ts'
import { createMemoryPlace, type MemoryEngine, type MemoryPlace } from '../support/memory-engine.ts'
import { clientRequest, settled } from '../support/pretend-gate.ts'

const IDLE = 120_000
const HOUR = 3_600_000
const patterns = { channelPattern: undefined, credentialPattern: undefined }
const identify = createIdentify({ tokenParams: ['token'], ignoredParams: [], ...patterns })
const scopeOf = createScopeOf(patterns)

interface PretendGate {
  readonly store: SessionStore
  readonly engine: MemoryEngine
  readonly sessions: SessionTable
  /** Each id with how it has ended. */
  readonly ends: string[]
  readonly posted: string[]
  open(id: string, target?: string, user?: string): Session
}

interface World {
  readonly place: MemoryPlace
  start(): Promise<PretendGate>
  pass(milliseconds: number): Promise<void>
}

function createWorld(isShared = true): World {
  let now = 0
  let timers: { readonly at: number; readonly act: () => void }[] = []
  const place = createMemoryPlace(() => now, isShared)
  const after = (milliseconds: number, act: () => void): (() => void) => {
    const timer = { at: now + milliseconds, act }
    timers.push(timer)
    return () => {
      timers = timers.filter((one) => one !== timer)
    }
  }
  const pass = async (milliseconds: number): Promise<void> => {
    const end = now + milliseconds
    for (;;) {
      const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      timers = timers.filter((one) => one !== next)
      now = next.at
      next.act()
      await settled()
    }
    now = end
    await settled()
  }
  const start = async (): Promise<PretendGate> => {
    const engine = place.create()
    const ends: string[] = []
    const posted: string[] = []
    const clock = (): number => now
    const store = createSessionStore({
      ...{ engine, secrets: ['a secret of thirty-two characters'], configuration: 'one', clock, after },
      ...{ identify, scopeOf, idle: IDLE, timeout: 100 },
      sessionsOf: (viewer) => sessions.of(viewer),
      onEndedElsewhere: (session: Session, end: End) => sessions.end(session, end.why),
      onChange() {},
      onSetAside() {},
      onCommand() {},
      onReturned() {},
      onSilent() {},
    })
    store.join({
      about: () => 'a gate',
      heard() {},
      ended: (gate, { id }, { why }) => void posted.push(`${id} ${why} to ${gate}`),
      marked: ({ filter, number }) => void posted.push(`${JSON.stringify(filter)} ${number}`),
    })
    const sessions: SessionTable = createSessionTable({
      ...{ max: 10_000, maxBytes: Number.POSITIVE_INFINITY, idle: IDLE },
      onEnded: (session, why) =>
        store.ended(session, why, (how: SessionEnd) => void ends.push(`${session.id} ${how}`)),
    })
    void store.start(1_000)
    await settled()
    return {
      ...{ store, engine, sessions, ends, posted },
      open(id, target = '/a/index.m3u8?token=X', user = '') {
        const request = clientRequest(target)
        const identity = identify(request)
        const session = new Session(identity, request, id, now, scopeOf(identity))
        session.userId = user
        session.dueAt = Number.POSITIVE_INFINITY
        sessions.open(session, now)
        store.granted(session, HOUR)
        return session
      },
    }
  }
  return { place, start, pass }
}

const viewer = identify(clientRequest('/a/index.m3u8?token=X')).viewer
/** The ids of what the store holds of the viewer and the table does not. */
async function recalled({ store }: PretendGate): Promise<string[]> {
  const found = await store.recall({ viewer, cookie: undefined })
  return [...(found?.playing ?? []), ...(found?.silent ?? [])].map(({ session }) => session.id).sort()
}

describe('what gates that share a store know of each other', () => {
  test('a session is known at the other gate at once, and ends as moved where it was', async () => {
    const world = createWorld()
    const [one, two] = [await world.start(), await world.start()]
    one.open('session')
    await settled()
    const found = await two.store.recall({ viewer, cookie: undefined })
    const [stored] = found?.playing ?? []
    assert.ok(stored !== undefined)
    assert.ok(two.store.take(stored, 'adopted'))
    two.sessions.adopt(stored.session)
    await settled()
    await world.pass(IDLE + 1)
    one.sessions.sweep(IDLE + 1)
    await world.pass(500)
    assert.deepEqual(one.ends, ['session moved'])
    assert.deepEqual(await recalled(one), ['session'])
  })

  test('an end is told to the gate that has it, and no report brings the session back', async () => {
    const world = createWorld()
    const [one, two] = [await world.start(), await world.start()]
    const session = one.open('session')
    await settled()
    await two.store.end({ id: 'session', viewer }, { why: 'displaced' })
    assert.deepEqual(two.posted, [`session displaced to ${one.engine.gate}`])
    // Without the letter the next report finds it out.
    session.activeAt = 1
    await world.pass(IDLE / 2 + 1_000)
    assert.deepEqual(one.ends, ['session displaced'])
    assert.deepEqual(await recalled(two), [])
  })

  test('a mark ends what opened below its number, at any gate, and nothing that opened since', async () => {
    const world = createWorld()
    const [one, two] = [await world.start(), await world.start()]
    one.open('before', '/a/index.m3u8?token=X', 'anna')
    two.open('other', '/b/index.m3u8?token=X', 'ben')
    await settled()
    const { number, written } = await two.store.mark({ user: 'anna' })
    assert.equal(written, true)
    await world.pass(300)
    const since = one.open('since', '/c/index.m3u8?token=X', 'anna')
    assert.equal(one.store.heardMark({ filter: { user: 'anna' }, number }), 1)
    assert.equal(one.store.heardMark({ filter: { user: 'anna' }, number }), undefined, 'a copy says nothing')
    assert.deepEqual(one.ends, ['before closed'])
    assert.equal(since.ended, false)
    await settled()
    assert.deepEqual(await recalled(two), ['since'])
  })

  test('a wide mark reaches a gate with its heartbeat, without any letter', async () => {
    const world = createWorld()
    const [one, two] = [await world.start(), await world.start()]
    one.open('session')
    await settled()
    await two.store.mark({ address: '192.0.2.1' })
    await world.pass(600)
    assert.deepEqual(one.ends, ['session closed'])
  })

  test('after FLUSHALL marks and ends are told first, then who plays, and all are there again', async () => {
    const world = createWorld()
    const gate = await world.start()
    gate.open('plays', '/a/index.m3u8?token=X')
    gate.open('closed', '/b/index.m3u8?token=X', 'anna')
    gate.open('denied', '/c/index.m3u8?token=Y')
    await settled()
    await gate.store.mark({ user: 'anna' })
    await gate.store.end({ id: 'denied', viewer }, { why: 'displaced' })
    await settled()
    world.place.flush()
    const from = world.place.calls.length
    await world.pass(IDLE / 2 + 1_000)
    const told = world.place.calls.slice(from).filter((call) => /^(?:markUser|end|write)/.test(call))
    assert.equal(told[0], 'markUser')
    assert.match(told[1] ?? '', /^end .*denied/)
    assert.ok(told.some((call) => /^write .*plays/.test(call)))
    const other = await world.start()
    assert.deepEqual(await recalled(other), ['plays'])
    assert.equal((await other.store.mark({ id: 'x' })).number > 1, true, 'the counter did not fall')
  })

  test('a close while the store is away is told when it is back', async () => {
    const world = createWorld()
    const gate = await world.start()
    world.place.fails('refused')
    await world.pass(300)
    const { written } = await gate.store.mark({ user: 'anna' })
    assert.equal(written, false)
    assert.deepEqual(gate.posted, [])
    world.place.fails(undefined)
    await world.pass(1_000)
    assert.deepEqual(gate.posted, ['{"user":"anna"} 1'])
    const other = await world.start()
    await other.store.recall({ viewer, cookie: undefined })
    assert.equal(world.place.calls.filter((call) => call === 'markUser').length, 1)
  })

  test('a clock of the store that is set makes nobody forget, or end', async () => {
    for (const by of [-600_000, 2 * HOUR]) {
      const world = createWorld()
      const [one, two] = [await world.start(), await world.start()]
      one.open('session')
      await settled()
      world.place.step(by)
      await world.pass(IDLE / 2 + 2_000)
      assert.deepEqual(one.ends, [])
      const found = await two.store.recall({ viewer, cookie: undefined })
      assert.deepEqual(
        found?.playing.map(({ session }) => session.id),
        ['session'],
        `${by} ms`,
      )
    }
  })
})

describe('what a store is told', () => {
  test('a record of more than 8 KB is not written, and counted', async () => {
    const world = createWorld()
    const gate = await world.start()
    gate.open('large', `/a/index.m3u8?token=${'x'.repeat(9_000)}`)
    gate.open('small')
    await settled()
    await world.pass(500)
    assert.deepEqual([world.place.ids(), gate.store.tooLarge()], [['small'], 1])
  })

  test('what has the credential that was denied is due, in the table and in the store', async () => {
    const world = createWorld()
    const gate = await world.start()
    const silent = gate.open('silent', '/a/index.m3u8?token=X')
    await world.pass(500)
    gate.sessions.end(silent, 'idle')
    await world.pass(500)
    const denied = gate.open('denied', '/b/index.m3u8?token=X')
    const playing = gate.open('playing', '/c/index.m3u8?token=X')
    const other = gate.open('other', '/d/index.m3u8?token=Y')
    await world.pass(500)
    await gate.store.end(denied, { why: 'denied' })
    await world.pass(500)
    assert.ok(playing.dueAt <= 2_000)
    assert.equal(other.dueAt, Number.POSITIVE_INFINITY)
    const found = await gate.store.recall({ viewer, cookie: undefined })
    assert.deepEqual(
      found?.silent.map(({ session }) => [session.id, session.dueAt <= 2_500]),
      [['silent', true]],
    )
  })

  test('all that is new is written before the process ends, on a slow disk, too', async () => {
    const world = createWorld(false)
    const gate = await world.start()
    for (let at = 0; at < 5; at += 1) gate.open(`session ${at}`, `/${at}/index.m3u8?token=X`)
    const goOn = world.place.hold()
    const writtenThen = gate.store.stop(500).then(() => world.place.ids().length)
    await world.pass(1_900)
    await goOn()
    await world.pass(1_000)
    assert.equal(await writtenThen, 5)
  })

  test('a miss reads the ids of a viewer, and what it does not have under their numbers', async () => {
    const world = createWorld()
    const [one, two] = [await world.start(), await world.start()]
    for (let at = 0; at < 20; at += 1) one.open(`session ${at}`, `/${at}/index.m3u8?token=X`)
    await world.pass(500)
    const from = world.place.calls.length
    await recalled(one)
    assert.deepEqual(world.place.calls.slice(from), ['list'], 'its table has all')
    await recalled(two)
    const again = world.place.calls.length
    await recalled(two)
    assert.deepEqual(world.place.calls.slice(again), ['list'], 'it was read a moment ago')
  })
})
