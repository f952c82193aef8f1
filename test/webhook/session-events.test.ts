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
function create({ interim = 0, random = 0 } = {}) {
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
    receiver: 'http://billing.example.com/events',
    interim,
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
    assert.equal(events.posts.length, 0)
    assert.equal(events.time.set(), 0)
  })

  test(`${MAX_BATCH} events go at once; more than that in several posts, one at a time`, async () => {
    const events = create()
    await events.started()
    const release: (() => void)[] = []
    events.answers(() => new Promise((resolve) => release.push(() => resolve(ok))))
    for (let n = 0; n < 700; n++) events.open()
    await events.time.pass(0)
    assert.deepEqual(sizes(), [500])
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

    function sizes(): number[] {
      return events.posts.map(({ batch }) => batch.events.length)
    }
  })
})

describe('a receiver that gives no answer, or none that helps', () => {
  for (const [what, posted] of Object.entries<Posted>({
    'a refused connection': refusedConnection,
    '500': { kind: 'answered', status: 500 },
    'a redirect': { kind: 'answered', status: 302 },
    '408': { kind: 'answered', status: 408 },
    '429': { kind: 'answered', status: 429 },
  })) {
    test(`${what}: the same events are sent again, before newer ones`, async () => {
      const events = create()
      await events.started()
      events.answers(() => posted)
      const a = events.open()
      await events.time.pass(1_000)
      const b = events.open()
      events.answers(() => ok)
      await events.time.pass(2_000)
      assert.deepEqual(events.told(), [`start ${a.id}`, `start ${a.id}`, `start ${b.id}`])
      assert.deepEqual(events.counts(), { delivered: 3, dropped: 0, waiting: 0 })
    })
  }

  test('waits double from one second to one minute', async () => {
    const events = create()
    await events.started()
    events.answers(() => refusedConnection)
    events.open()
    await events.time.pass(250_000)
    const times = events.posts.map(({ at }) => at / 1_000 - 2)
    assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
  })

  test('chance shortens a wait by up to a half', async () => {
    const events = create({ random: 1 })
    await events.started()
    events.answers(() => refusedConnection)
    events.open()
    await events.time.pass(6_000)
    assert.deepEqual(
      events.posts.map(({ at }) => at),
      [2_000, 2_500, 3_500, 5_500],
    )
  })

  test('a post that is not answered within 5 s is given up', async () => {
    const events = create()
    await events.started()
    const given: number[] = []
    events.answers(
      (signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            given.push(events.time.clock())
            resolve({ kind: 'unavailable', reason: 'timeout' })
          }),
        ),
    )
    events.open()
    await events.time.pass(7_000)
    assert.deepEqual(given, [7_000])
    assert.deepEqual(events.lines, [
      {
        message: 'events undelivered',
        fields: { receiver: 'http://billing.example.com/events', reason: 'timeout', waiting: 1 },
      },
    ])
  })

  test(`of more than ${MAX_WAITING} events the oldest are dropped, and counted`, async () => {
    const events = create()
    await events.started()
    events.answers(() => refusedConnection)
    const opened = Array.from({ length: MAX_WAITING + 700 }, () => events.open())
    await events.time.pass(0)
    assert.equal(events.counts().waiting, MAX_WAITING)
    assert.equal(events.counts().dropped, 700)
    events.answers(() => ok)
    events.posts.length = 0
    await events.time.pass(60_000)
    assert.deepEqual(events.counts(), { delivered: MAX_WAITING + 1, dropped: 700, waiting: 0 })
    assert.deepEqual(
      events.told(),
      opened.slice(700).map(({ id }) => `start ${id}`),
    )
  })

  test('what is on its way is not dropped for what comes meanwhile', async () => {
    const events = create()
    await events.started()
    events.answers(() => refusedConnection)
    const first = events.open()
    await events.time.pass(1_000)
    for (let n = 0; n < MAX_WAITING + 10; n++) events.open()
    assert.equal(events.counts().waiting, MAX_WAITING)
    events.answers(() => ok)
    events.posts.length = 0
    await events.time.pass(60_000)
    assert.equal(events.told()[0], `start ${first.id}`)
    assert.deepEqual(events.counts(), { delivered: MAX_WAITING + 1, dropped: 11, waiting: 0 })
  })
})

describe('a receiver that refuses', () => {
  for (const status of [400, 401, 404, 413]) {
    test(`${status}: the batch is dropped and counted, newer events are tried`, async () => {
      const events = create()
      await events.started()
      events.answers(() => ({ kind: 'answered', status }))
      const a = events.open()
      await events.time.pass(1_000)
      const b = events.open()
      events.answers(() => ok)
      await events.time.pass(1_000)
      assert.deepEqual(events.told(), [`start ${a.id}`, `start ${b.id}`])
      assert.deepEqual(events.counts(), { delivered: 2, dropped: 1, waiting: 0 })
    })
  }
})

describe('the log has one line for each change of state', () => {
  const receiver = 'http://billing.example.com/events'

  test('however often an attempt fails', async () => {
    const events = create()
    await events.started()
    events.answers(() => refusedConnection)
    events.open()
    await events.time.pass(100_000)
    for (let n = 0; n < MAX_WAITING + 5; n++) events.open()
    assert.deepEqual(events.lines, [
      { message: 'events undelivered', fields: { receiver, reason: 'refused', waiting: 1 } },
    ])
    events.answers(() => ok)
    await events.time.pass(100_000)
    assert.deepEqual(events.lines.slice(1), [
      { message: 'events delivered again', fields: { receiver, seconds: 123, dropped: 6 } },
    ])
    assert.equal(events.counts().waiting, 0)
  })

  test('a status that refuses is named, once', async () => {
    const events = create()
    await events.started()
    events.answers(() => ({ kind: 'answered', status: 404 }))
    for (let n = 0; n < 5; n++) {
      events.open()
      await events.time.pass(2_000)
    }
    assert.deepEqual(events.lines, [
      { message: 'events undelivered', fields: { receiver, status: 404, waiting: 1 } },
    ])
  })

  test('more events than the receiver takes are told too', async () => {
    const events = create()
    await events.started()
    events.answers(() => new Promise(() => {}))
    for (let n = 0; n <= MAX_WAITING; n++) events.open()
    assert.deepEqual(events.lines, [
      { message: 'events undelivered', fields: { receiver, reason: 'overflow', waiting: MAX_WAITING } },
    ])
  })
})

describe('an interim', () => {
  test('is told of who plays, each interval, and of nobody who has ended', async () => {
    const events = create({ interim: 600_000, random: 0.5 })
    const [playing, ended] = [events.open(), events.open('/live/two/index.m3u8?token=SECRET')]
    await events.time.pass(1_000)
    events.ended(ended, 'idle')
    const interims = (): string[] =>
      events.posts
        .flatMap(({ batch }) => batch.events)
        .flatMap((event) => (event.event === 'interim' ? [event.session] : []))
    await events.time.pass(590_000)
    assert.deepEqual(interims(), [])
    await events.time.pass(20_000)
    assert.deepEqual(interims(), [playing.id])
    await events.time.pass(600_000)
    assert.deepEqual(interims(), [playing.id, playing.id])
    events.ended(playing, 'closed')
    await events.time.pass(1_300_000)
    assert.equal(interims().length, 2)
    assert.equal(events.time.set(), 0)
  })

  test('is told of what came back from the store, and one of a kick-off are spread by a tenth', async () => {
    const events = create({ interim: 600_000, random: 0 })
    const session = events.open()
    events.ended(session, 'idle')
    events.returned(session, 'adopted')
    await events.time.pass(539_000)
    const count = (): number =>
      events.posts.flatMap(({ batch }) => batch.events).filter(({ event }) => event === 'interim').length
    assert.equal(count(), 0)
    await events.time.pass(3_000)
    assert.equal(count(), 1)
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
      fields: { receiver: 'http://billing.example.com/events', events: 2 },
    })
    assert.equal(events.time.set(), 0)
  })

  test('a receiver that hangs is waited for two seconds', async () => {
    const events = create()
    events.answers(
      (signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve({ kind: 'unavailable', reason: 'timeout' })),
        ),
    )
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
