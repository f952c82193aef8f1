import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Identity } from '../../src/session/identity.ts'
import { covers, createScopeOf, mayRide, sameTarget } from '../../src/session/scope.ts'
import { newSessionId, Session } from '../../src/session/session.ts'
import { createSessionTable, type SessionTable } from '../../src/session/session-table.ts'
import { clientRequest, createPretendGate, unavailable } from '../support/pretend-gate.ts'

const IDLE = 100
const scopeOf = createScopeOf({ channelPattern: undefined, credentialPattern: undefined })

function identityOf(viewer: string, path: string, query = ''): Identity {
  const profile = { key: 'player', origin: '', userAgent: '', playbackId: '' }
  const credential = query.startsWith('token')
  return {
    viewer,
    address: viewer,
    profile,
    channel: undefined,
    path,
    pathCredential: undefined,
    query,
    credential,
  }
}

function sessionOf(identity: Identity, now: number): Session {
  const session = new Session(identity, clientRequest('/'), newSessionId(), now, scopeOf(identity))
  session.dueAt = Number.POSITIVE_INFINITY
  return session
}

/** A table and a way to open one session of a viewer in it. */
function createTable(max: number, idle = IDLE) {
  const table = createSessionTable({ max, maxBytes: Number.POSITIVE_INFINITY, idle })
  const open = (viewer: string, now: number, path = '/ch/index.m3u8'): Session => {
    const session = sessionOf(identityOf(viewer, path), now)
    table.open(session, now)
    return session
  }
  const isHeld = (held: Session, now: number): boolean => {
    const { viewer, address, profile, channel, path, pathCredential, query } = held
    const identity = { viewer, address, profile, channel, path, pathCredential, query, credential: false }
    return table.find(identity, now) !== undefined
  }
  return { table, open, isHeld }
}

describe('MAX_SESSIONS', () => {
  test('ending one session of a silent viewer does not make the others look busy', () => {
    const { table, open } = createTable(3)
    const silent = open('a', 0, '/ch1/index.m3u8')
    const closed = open('a', 1, '/ch2/index.m3u8')
    const b = open('b', 2)
    table.end(closed, 'closed')
    open('c', 3)
    open('d', 4)
    assert.deepEqual([silent.ended, b.ended], [true, false])
  })

  test('one viewer holds a thousand sessions at most, and loses the least recently used one', () => {
    const { table, open } = createTable(5000, Number.POSITIVE_INFINITY)
    const [first, second] = [open('a', 0, '/0/index.m3u8'), open('a', 1, '/1/index.m3u8')]
    for (let i = 2; i < 1000; i++) open('a', i, `/${i}/index.m3u8`)
    assert.equal(table.find(identityOf('a', '/0/seg.ts'), 1000), first)
    open('a', 1001, '/1000/index.m3u8')
    assert.equal(table.count(), 1000)
    assert.deepEqual([first.ended, second.ended], [false, true])
  })
})

describe('each kind has a bound of its own', () => {
  const viewer = (i: number) => ({ address: `192.0.2.${i}` })
  const openTen = async (options = {}) => {
    const gate = createPretendGate({ maxSessions: 10, maxProvisional: 5, maxDenials: 20, ...options })
    for (let i = 0; i < 10; i++) await gate.decide(clientRequest('/live/ch1/index.m3u8?token=X', viewer(i)))
    const everybodyRides = (): void => {
      for (let i = 0; i < 10; i++) {
        const decision = gate.decideAtOnce(clientRequest('/live/ch1/seg1.ts', viewer(i)))
        assert.equal(decision.verdict, 'allow')
      }
    }
    return { gate, everybodyRides }
  }

  test('a hundred bad tokens of one who plays evict no session', async () => {
    const { gate, everybodyRides } = await openTen()
    for (let i = 0; i < 100; i++)
      await gate.decide(clientRequest(`/live/ch1/index.m3u8?token=bad${i}`, viewer(3)))
    everybodyRides()
    assert.deepEqual([gate.sessions.count(), gate.denials.count()], [10, 20])
  })

  test('a hundred newcomers in an outage evict no session', async () => {
    const { gate, everybodyRides } = await openTen({ defaultAction: 'allow' })
    gate.answers(unavailable)
    for (let i = 100; i < 200; i++)
      assert.equal(
        (await gate.decide(clientRequest('/live/ch1/index.m3u8?token=bad', viewer(i)))).verdict,
        'allow',
      )
    everybodyRides()
    assert.deepEqual([gate.sessions.count(), gate.provisional.count()], [10, 5])
  })
})

/** The same promises, kept with an array, oldest first. */
interface Model {
  readonly order: Session[]
  /** `activeAt` as the model has it: the table writes on the sessions themselves. */
  readonly active: Map<Session, number>
  /** `lastSeen`, likewise. */
  readonly seen: Map<Session, number>
}

function findInModel(model: Model, identity: Identity, now: number): Session | undefined {
  const isOwn = (one: Session): boolean => one.query === identity.query && sameTarget(one, identity)
  const answering = model.order.filter(
    (one) =>
      one.viewer === identity.viewer &&
      isAlive(model, one, now) &&
      (isOwn(one) || (mayRide(identity, one) && covers(one, identity))),
  )
  const found = answering.at(-1)
  for (const one of answering) {
    model.active.set(one, now)
    if (one === found || isOwn(one)) model.seen.set(one, now)
  }
  if (found !== undefined && isOwn(found)) moveToEnd(model.order, found)
  return found
}

function isAlive(model: Model, session: Session, now: number): boolean {
  return now - (model.active.get(session) ?? 0) <= IDLE
}

function moveToEnd(order: Session[], session: Session): void {
  order.push(...order.splice(order.indexOf(session), 1))
}

type Step =
  | { readonly do: 'open' | 'find'; readonly viewer: string; readonly path: string; readonly query: string }
  | { readonly do: 'end'; readonly which: number }
  | { readonly do: 'pass'; readonly time: number }
  | { readonly do: 'sweep' }

const place = {
  viewer: fc.constantFrom('a', 'b', 'c'),
  path: fc.constantFrom('/1/index.m3u8', '/1/seg.ts', '/index.m3u8', '/1/2/index.m3u8', '/2/film.mp4'),
  query: fc.constantFrom('', 'token=X', 'token=Y'),
}
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), ...place }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('find' as const), ...place }) },
  fc.record({ do: fc.constant('end' as const), which: fc.nat(20) }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), time: fc.constantFrom(1, 40, 60, 101) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
)

/** Runs the steps against table and model, and compares what each finds. */
function walk(
  steps: readonly Step[],
  onSweep: (table: SessionTable, model: Model, now: number) => void,
): void {
  const { table } = createTable(1000)
  const model: Model = { order: [], active: new Map(), seen: new Map() }
  let now = 0
  for (const one of steps) {
    switch (one.do) {
      case 'open': {
        const session = sessionOf(identityOf(one.viewer, one.path, one.query), now)
        table.open(session, now)
        model.order.push(session)
        model.active.set(session, now)
        model.seen.set(session, now)
        break
      }
      case 'find': {
        const identity = identityOf(one.viewer, one.path, one.query)
        const expected = findInModel(model, identity, now)
        assert.equal(table.find(identity, now)?.id, expected?.id)
        break
      }
      case 'end': {
        const session = model.order[one.which % Math.max(1, model.order.length)]
        if (session === undefined) break
        table.end(session, 'closed')
        // Ending twice is ending once.
        table.end(session, 'closed')
        model.order.splice(model.order.indexOf(session), 1)
        model.active.set(session, Number.NEGATIVE_INFINITY)
        break
      }
      case 'pass':
        now += one.time
        break
      case 'sweep':
        onSweep(table, model, now)
    }
    const held = [...model.active.keys()].filter(({ ended }) => !ended)
    assert.equal(table.count(), held.length)
    for (const session of model.order) assert.ok(!(session.ended && isAlive(model, session, now)))
    for (const session of held) {
      assert.equal(session.activeAt, model.active.get(session))
      assert.equal(session.lastSeen, model.seen.get(session))
    }
  }
}

describe('against an array', () => {
  const steps = fc.array(step, { maxLength: 60, size: 'max' })

  test('the table finds the same session, counts what it holds and ends nobody who is not silent', () => {
    fc.assert(
      fc.property(steps, (all) => walk(all, (table, _model, now) => void table.sweep(now))),
      { numRuns: 3000 },
    )
  })

  test('after a sweep exactly those are left who are not silent', () => {
    const onSweep = (table: SessionTable, model: Model, now: number): void => {
      const before = table.count()
      const ended = table.sweep(now)
      const left = model.order.filter((one) => isAlive(model, one, now)).length
      assert.equal(table.count(), left)
      assert.equal(ended, before - left)
    }
    fc.assert(
      fc.property(steps, (all) => walk(all, onSweep)),
      { numRuns: 3000 },
    )
  })

  test('with a small bound exactly the most recently used are left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), steps, (max, all) => {
        const { table, open } = createTable(max, Number.POSITIVE_INFINITY)
        const opened: Session[] = []
        /** Most recently opened, or requested by its own URL, last. */
        const recent: Session[] = []
        /** Most recently used last. */
        const held: Session[] = []
        for (const [now, one] of all.entries()) {
          if (one.do === 'open') {
            const session = open(one.viewer, now, one.path)
            opened.push(session)
            recent.push(session)
            held.push(session)
            if (held.length > max) held.shift()
          } else if (one.do === 'find') {
            const found = table.find(identityOf(one.viewer, one.path), now)
            if (found === undefined) continue
            const kept = recent.filter((each) => held.includes(each) && each.activeAt === now)
            for (const session of kept.reverse()) moveToEnd(held, session)
            moveToEnd(held, found)
            if (found.path === one.path) moveToEnd(recent, found)
          } else if (one.do === 'end' && opened.length > 0) {
            const session = opened[one.which % opened.length]
            if (session === undefined) continue
            table.end(session, 'closed')
            if (held.includes(session)) held.splice(held.indexOf(session), 1)
          }
          assert.deepEqual(new Set(opened.filter(({ ended }) => !ended)), new Set(held))
          assert.equal(table.count(), held.length)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a sweep', () => {})

describe('who hears of sessions', () => {
  test('hears of each end once, and of none that was handed over', () => {
    const told: string[] = []
    const table = createSessionTable({
      max: 10,
      maxBytes: Number.POSITIVE_INFINITY,
      idle: IDLE,
      onOpened: ({ viewer }) => told.push(`${viewer} opened`),
      onEnded: ({ viewer }, why) => told.push(`${viewer} ${why}`),
    })
    const [a, b] = ['a', 'b'].map((viewer) => sessionOf(identityOf(viewer, '/ch/index.m3u8'), 0))
    assert.ok(a && b)
    for (const session of [a, b]) table.open(session, 0)
    table.end(a, 'closed')
    // Such as a re-check that was under way, and ends with a deny.
    table.end(a, 'denied')
    table.handOver(b)
    table.end(b, 'idle')
    table.admit(b, 0)
    table.end(b, 'evicted')
    assert.deepEqual(told, ['a opened', 'b opened', 'a closed', 'b evicted'])
  })
})
