import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { newSessionId, Session, type SessionEnd } from '../../src/session/session.ts'
import { createToIso, type SessionView, viewOf } from '../../src/session/session-view.ts'
import { MAX_BATCH, MAX_WAITING } from '../../src/webhook/delivery.ts'
import type { Posted } from '../../src/webhook/post.ts'
import type { EventBatch, SessionEvent } from '../../src/webhook/session-event.ts'
import { createSessionEvents } from '../../src/webhook/session-events.ts'
import { clientRequest, settled } from '../support/pretend-gate.ts'
import { createPretendTime } from '../support/pretend-time.ts'

const ok: Posted = { kind: 'answered', status: 200 }
const refusedConnection: Posted = { kind: 'unavailable', reason: 'refused' }
const receiver = 'http://billing.example.com/events'
/** When the pretend clock is 0. */
const EPOCH = Date.parse('2026-11-24T13:00:00.000Z')

interface Line {
  readonly message: string
  readonly fields: object
}

const patterns = { channelPattern: /^\/live\/([^/]+)\//, credentialPattern: undefined }
const identify = createIdentify({ tokenParams: ['token'], ignoredParams: [], ...patterns })
const scopeOf = createScopeOf(patterns)

/** Events around a pretend clock and a pretend receiver. */
function create({ minTime = 0, random = 0 } = {}) {
  const time = createPretendTime()
  const posts: { readonly at: number; readonly batch: EventBatch }[] = []
  const lines: Line[] = []
  const warn = (message: string, fields = {}): void => void lines.push({ message, fields })
  const nothing = (): void => {}
  let answer: (signal: AbortSignal) => Posted | Promise<Posted> = () => ok
  const toIso = createToIso(time.clock, () => EPOCH + time.clock())
  let standing: Pick<SessionView, 'part' | 'came'> | undefined
  const events = createSessionEvents({
    gate: 'gate-1',
    receiver,
    minTime,
    async post(json, signal) {
      posts.push({ at: time.clock(), batch: JSON.parse(json) as EventBatch })
      return await answer(signal)
    },
    clock: time.clock,
    toIso,
    viewOf: (session) => viewOf(session, toIso, standing),
    after: time.after,
    random: () => random,
    log: { error: nothing, warn, info: nothing, debug: nothing, debugs: false },
  })
  events.start(false)
  return {
    ...events,
    time,
    posts,
    lines,
    /** What the receiver does from now on. */
    answers(next: typeof answer) {
      answer = next
    },
    open(target = '/live/one/index.m3u8?token=SECRET', more = {}): Session {
      const request = clientRequest(target, more)
      const identity = identify(request)
      const session = new Session(identity, request, newSessionId(), time.clock(), scopeOf(identity))
      events.opened(session)
      return session
    },
    /** The session answers one more request. */
    hear(session: Session) {
      session.requests++
      session.lastSeen = time.clock()
    },
    end(session: Session, why: SessionEnd = 'idle') {
      session.ended = true
      events.ended(session, why)
    },
    /** Kind and session of all events that were posted, in order. */
    told: () => posts.flatMap(({ batch }) => batch.events.map(nameOf)),
    /** How each session stands in the store from now on. */
    stand(next: typeof standing) {
      standing = next
    },
    /** Lets the first post with `gate-started` go. */
    async started() {
      await time.pass(1_000)
      posts.length = 0
    },
  }
}

function undelivered(fields: object): Line {
  return { message: 'events undelivered', fields: { receiver, ...fields } }
}

function nameOf(event: SessionEvent): string {
  return 'session' in event ? `${event.event} ${event.session}` : event.event
}

describe('what is told of a session', () => {
  test('its start and its end, without its query', async () => {
    const events = create()
    const session = events.open()
    session.userId = 'user-7'
    await events.time.pass(5_000)
    events.hear(session)
    await events.time.pass(120_500)
    events.end(session)
    await events.time.pass(1_000)

    const common = {
      session: session.id,
      part: 1,
      channel: 'one',
      address: '192.0.2.1',
      origin: 'https://live.example.com',
      path: '/live/one/index.m3u8',
      userAgent: 'VLC/3.0.21',
      provisional: false,
      start: '2026-11-24T13:00:00.000Z',
    }
    assert.deepEqual(
      events.posts.map(({ batch }) => batch),
      [
        {
          gate: 'gate-1',
          sent: '2026-11-24T13:00:01.000Z',
          events: [
            { event: 'gate-started', start: '2026-11-24T13:00:00.000Z', sessionsGoOn: false },
            { event: 'start', ...common, user: '' },
          ],
        },
        {
          gate: 'gate-1',
          sent: '2026-11-24T13:02:06.500Z',
          events: [
            {
              event: 'end',
              ...common,
              user: 'user-7',
              end: '2026-11-24T13:02:05.500Z',
              lastRequest: '2026-11-24T13:00:05.000Z',
              requests: 2,
              reason: 'idle',
            },
          ],
        },
      ],
    )
    assert.doesNotMatch(JSON.stringify(events.posts), /SECRET|token/)
  })

  test('the path, where no pattern finds a channel; who was let in by the default action', async () => {
    const events = create()
    await events.started()
    const request = clientRequest('/film.mp4')
    const identity = identify(request)
    const session = new Session(identity, request, newSessionId(), 0, scopeOf(identity))
    session.provisional = true
    events.opened(session)
    await events.time.pass(1_000)
    const [event] = events.posts[0]?.batch.events ?? []
    assert.ok(event?.event === 'start')
    assert.equal(event.channel, '/film.mp4')
    assert.equal(event.provisional, true)
  })
})

/** Events whose receiver does this from the first session on, and that session. */
async function startTold(answer: Posted | ((signal: AbortSignal) => Promise<Posted>), random = 0) {
  const events = create({ random })
  await events.started()
  events.answers(typeof answer === 'function' ? answer : () => answer)
  return { events, session: events.open() }
}

/** Answers nothing until it is given up. */
const hangs = (signal: AbortSignal): Promise<Posted> =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve({ kind: 'unavailable', reason: 'timeout' })),
  )

describe('batches', () => {
  test('events of one second go together, in order', async () => {
    const events = create()
    await events.started()
    const a = events.open()
    await events.time.pass(400)
    const b = events.open()
    await events.time.pass(599)
    events.end(a)
    assert.equal(events.posts.length, 0)
    await events.time.pass(1)
    assert.deepEqual(events.told(), [`start ${a.id}`, `start ${b.id}`, `end ${a.id}`])
    assert.equal(events.posts.length, 1)
  })

  test('without events nothing is posted and no timer is set', async () => {
    const events = create()
    await events.started()
    await events.time.pass(600_000)
    assert.deepEqual([events.posts.length, events.time.set()], [0, 0])
  })

  test(`${MAX_BATCH} events go at once; more than that in several posts, one at a time`, async () => {
    const events = create()
    await events.started()
    const release: (() => void)[] = []
    const sizes = () => events.posts.map(({ batch }) => batch.events.length)
    events.answers(() => new Promise((resolve) => release.push(() => resolve(ok))))
    for (let n = 0; n < 700; n++) events.open()
    await events.time.pass(0)
    for (let n = 0; n < 500; n++) events.open()
    await events.time.pass(4_000)
    assert.deepEqual(sizes(), [500])
    release.shift()?.()
    await events.time.pass(0)
    assert.deepEqual(sizes(), [500, 500])
    release.shift()?.()
    await events.time.pass(999)
    assert.deepEqual(sizes(), [500, 500])
    await events.time.pass(1)
    assert.deepEqual(sizes(), [500, 500, 200])
    release.shift()?.()
    await settled()
    assert.deepEqual(events.counts(), { delivered: 1_201, dropped: 0, waiting: 0 })
  })
})

describe('what the receiver answers', () => {
  for (const [what, posted, dropped] of [
    ['a refused connection', refusedConnection, 0],
    ...[500, 302, 408, 429].map((status) => [`${status}`, { kind: 'answered', status }, 0] as const),
    ...[400, 401, 404, 413].map((status) => [`${status}`, { kind: 'answered', status }, 1] as const),
  ] as const)
    test(`${what}: the same events are ${dropped === 0 ? 'sent again, before newer ones' : 'dropped and counted'}`, async () => {
      const { events, session: a } = await startTold(posted)
      await events.time.pass(1_000)
      const b = events.open()
      events.answers(() => ok)
      await events.time.pass(2_000)
      const again = dropped === 0 ? [`start ${a.id}`] : []
      assert.deepEqual(events.told(), [`start ${a.id}`, ...again, `start ${b.id}`])
      assert.deepEqual(events.counts(), { delivered: 3 - dropped, dropped, waiting: 0 })
    })

  test('waits double from one second to one minute; chance shortens one by up to a half', async () => {
    const { events } = await startTold(refusedConnection)
    await events.time.pass(250_000)
    const times = events.posts.map(({ at }) => at / 1_000 - 2)
    assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
    const { events: short } = await startTold(refusedConnection, 1)
    await short.time.pass(6_000)
    assert.deepEqual(
      short.posts.map(({ at }) => at),
      [2_000, 2_500, 3_500, 5_500],
    )
  })

  test('a post that is not answered within 5 s is given up', async () => {
    const { events } = await startTold(hangs)
    await events.time.pass(5_999)
    assert.deepEqual(events.lines, [])
    await events.time.pass(1)
    assert.deepEqual(events.lines, [undelivered({ reason: 'timeout', waiting: 1 })])
  })

  test(`of more than ${MAX_WAITING} events the oldest are dropped, and counted`, async () => {
    const { events, session } = await startTold(refusedConnection)
    const more = Array.from({ length: MAX_WAITING + 699 }, () => events.open())
    await events.time.pass(0)
    assert.deepEqual(events.counts(), { delivered: 1, dropped: 700, waiting: MAX_WAITING })
    events.answers(() => ok)
    events.posts.length = 0
    await events.time.pass(60_000)
    assert.deepEqual(events.counts(), { delivered: MAX_WAITING + 1, dropped: 700, waiting: 0 })
    assert.deepEqual(
      events.told(),
      [session, ...more].slice(700).map(({ id }) => `start ${id}`),
    )
  })

  test('what is on its way is not dropped for what comes meanwhile', async () => {
    const { events, session } = await startTold(refusedConnection)
    await events.time.pass(1_000)
    for (let n = 0; n < MAX_WAITING + 10; n++) events.open()
    assert.equal(events.counts().waiting, MAX_WAITING)
    events.answers(() => ok)
    events.posts.length = 0
    await events.time.pass(60_000)
    assert.equal(events.told()[0], `start ${session.id}`)
    assert.deepEqual(events.counts(), { delivered: MAX_WAITING + 1, dropped: 11, waiting: 0 })
  })
})

describe('the log has one line for each change of state', () => {
  test('however often an attempt fails', async () => {
    const { events } = await startTold(refusedConnection)
    await events.time.pass(100_000)
    for (let n = 0; n < MAX_WAITING + 5; n++) events.open()
    assert.deepEqual(events.lines, [undelivered({ reason: 'refused', waiting: 1 })])
    events.answers(() => ok)
    await events.time.pass(100_000)
    assert.deepEqual(events.lines.slice(1), [
      { message: 'events delivered again', fields: { receiver, seconds: 123, dropped: 6 } },
    ])
    assert.equal(events.counts().waiting, 0)
  })

  test('a status that refuses is named, once', async () => {
    const { events } = await startTold({ kind: 'answered', status: 404 })
    for (let n = 0; n < 5; n++) {
      await events.time.pass(2_000)
      events.open()
    }
    assert.deepEqual(events.lines, [undelivered({ status: 404, waiting: 1 })])
  })

  test('more events than the receiver takes are told too', async () => {
    const { events } = await startTold(() => new Promise(() => {}))
    for (let n = 0; n < MAX_WAITING; n++) events.open()
    assert.deepEqual(events.lines, [undelivered({ reason: 'overflow', waiting: MAX_WAITING })])
  })
})

describe('a minimal time of ten seconds', () => {
  /** What happens to a session: `wait 3` seconds, `hear` a request, `end`. Then what was told of it. */
  const rows: readonly (readonly [what: string, story: string, told: string])[] = [
    ['a start is told of after it, when a request has come since', 'wait 6 hear wait 6 hear wait 9', 'start'],
    ['and not before it', 'wait 6 hear wait 6 hear wait 7.9', ''],
    ['its end follows', 'wait 6 hear wait 6 hear wait 9 end wait 1', 'start end'],
    [
      'a viewer who has zapped on leaves no trace, though the session ends later',
      'wait 3 hear wait 117 end wait 60',
      '',
    ],
    ['a session that ends sooner leaves no trace either', 'wait 9 hear end wait 60', ''],
    [
      'one that ends before its start was told of has both told',
      'wait 9 hear wait 5 hear end wait 1',
      'start end',
    ],
    ['a film or an MPEG-TS stream is asked about once and lasts', 'film wait 10.9', ''],
    ['it is told of then', 'film wait 11', 'start'],
    ['and so is its end', 'film wait 121 end wait 1', 'start end'],
  ]
  for (const [what, story, told] of rows)
    test(what, async () => {
      const events = create({ minTime: 10_000 })
      await events.started()
      const session = events.open(story.startsWith('film') ? '/live/one.ts?token=SECRET' : undefined)
      for (const [, act, seconds] of story.matchAll(/(wait|hear|end)(?: ([\d.]+))?/g)) {
        if (act === 'wait') await events.time.pass(Number(seconds) * 1_000)
        else if (act === 'hear') events.hear(session)
        else events.end(session)
      }
      assert.deepEqual(
        events.told(),
        told.split(' ').flatMap((word) => (word === '' ? [] : [`${word} ${session.id}`])),
      )
      if (told === '' && story.includes('end')) assert.equal(events.time.set(), 0)
    })

  test('many that open and end leave nothing behind, and one timer at most is set', async () => {
    const events = create({ minTime: 10_000 })
    await events.started()
    for (let second = 0; second < 30; second++) {
      const opened = Array.from({ length: 100 }, () => events.open())
      await events.time.pass(1_000)
      for (const session of opened) events.end(session, 'evicted')
      assert.ok(events.time.set() <= 1)
    }
    await events.time.pass(11_000)
    assert.equal(events.time.set(), 0)
    assert.deepEqual(events.told(), [])
  })
})

describe('at the end', () => {
  test('what waits is sent, all of it', async () => {
    const events = create()
    for (let n = 0; n < 1_300; n++) events.open()
    await events.stop()
    assert.deepEqual(events.counts(), { delivered: 1_301, dropped: 0, waiting: 0 })
    assert.equal(events.time.set(), 0)
    assert.deepEqual(events.lines, [])
  })

  test('a receiver that is away is tried once more, whatever the wait was; what is left is lost and told', async () => {
    const events = create()
    events.answers(() => refusedConnection)
    events.open()
    await events.time.pass(100_000)
    const before = events.posts.length
    await events.stop()
    assert.equal(events.posts.length, before + 1)
    assert.deepEqual(events.counts(), { delivered: 0, dropped: 2, waiting: 0 })
    assert.deepEqual(events.lines.at(-1), {
      message: 'events lost',
      fields: { receiver, events: 2 },
    })
    assert.equal(events.time.set(), 0)
  })

  test('a receiver that hangs is waited for two seconds', async () => {
    const events = create()
    events.answers(hangs)
    events.open()
    let ended = false
    const stopped = events.stop().then(() => {
      ended = true
    })
    await events.time.pass(1_999)
    assert.equal(ended, false)
    await events.time.pass(1)
    await stopped
    assert.equal(events.counts().dropped, 2)
    assert.equal(events.time.set(), 0)
  })
})
