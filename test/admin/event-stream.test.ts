import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { createEventStream } from '../../src/admin/event-stream.ts'
import type { LiveState } from '../../src/admin/live-state.ts'
import type { Session } from '../../src/session/session.ts'
import type { SessionView } from '../../src/session/session-view.ts'
import { type AdminGate, errorOf, startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { type EventReader, readEvents } from '../support/event-reader.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

interface Told {
  readonly opened: { readonly sessions: readonly { session: string; path: string; start: string }[] }
  readonly ended: { readonly sessions: readonly { session: string; why: string }[] }
  readonly denied: { readonly denials: readonly { denial: number; path: string; reason: string }[] }
  readonly state: LiveState
  readonly reload: object
}

function told<Name extends keyof Told>(reader: EventReader, name: Name): Told[Name][] {
  return reader.events.filter((event) => event.name === name).map(({ data }) => data as Told[Name])
}

function ended(reader: EventReader): { session: string; why: string }[] {
  return told(reader, 'ended').flatMap(({ sessions }) => sessions)
}

async function start(t: Scope, environment = {}): Promise<AdminGate & { readonly backend: Backend }> {
  const backend = await startBackend(t)
  return { backend, ...(await startAdminGate(t, { BACKEND_URL: backend.url, ...environment })) }
}

/** A reader that can leave before the test ends. */
async function join(t: Scope, port: number): Promise<EventReader & { leave(): void }> {
  const ends: (() => void)[] = []
  const reader = await readEvents({ after: (end) => void ends.push(end as () => void) }, port, '/events')
  const leave = (): void => {
    for (const end of ends) end()
  }
  t.after(leave)
  return { ...reader, leave }
}

/** Connections of the admin listener. */
function connections({ gate }: AdminGate): Promise<number> {
  return new Promise((resolve) => gate.service.adminServer?.getConnections((_, count) => resolve(count)))
}

describe('the event stream', () => {
  test('tells the state at once and every second', async (t) => {
    const { adminPort, gate, backend } = await start(t, { DEFAULT_ACTION: 'allow', MAX_SESSIONS: '5000' })
    await askGate(gate.port, { uri: '/a/index.m3u8?token=1' })
    const reader = await join(t, adminPort)
    await until('the first state', () => reader.events.length > 0)
    const [first] = told(reader, 'state')
    assert.ok(first !== undefined)
    const { time, uptime, backends, version, ...rest } = first
    const none = { backend: 0, session: 0, stale: 0, default: 0, gate: 0 }
    assert.deepEqual(rest, {
      sessions: { live: 1, provisional: 0, denied: 0, limit: 5000 },
      rates: { allow: none, deny: none },
      state: null,
      byDefault: { letIn: 0, refused: 0 },
      defaultAction: 'allow',
      deadline: 2000,
      instance: '127.0.0.1:0',
    })
    assert.match(version, /^\d+\.\d+\.\d+/)
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 20_000 && uptime >= 0)
    const [{ p50, p99, ...first_ } = { p50: undefined, p99: undefined }] = backends as {
      p50: number | undefined
      p99: number | undefined
    }[]
    const known = {
      name: `${backend.url}/`,
      state: 'answers',
      breaker: 'closed',
      inFlight: 0,
      places: 64,
      waiting: 0,
    }
    assert.deepEqual(first_, { ...known, perSecond: 0 })
    assert.ok(p50 !== undefined && p50 >= 0 && p99 === p50)
    await until('three more', () => told(reader, 'state').length >= 4)
    const times = told(reader, 'state').map((state) => Date.parse(state.time))
    for (const [at, later] of times.slice(1).entries())
      assert.ok(later - (times[at] ?? 0) >= 500, String(times))
  })

  test('tells rates by verdict and source, and how the backend is', async (t) => {
    const { adminPort, gate, backend } = await start(t)
    const reader = await join(t, adminPort)
    await askGate(gate.port, { uri: '/a/index.m3u8?token=1' })
    await askGate(gate.port, { uri: '/a/1.ts' })
    backend.answer = status(403)
    await askGate(gate.port, { uri: '/b/index.m3u8?token=1' })
    await askGate(gate.port, { uri: '/b/index.m3u8?token=1' })
    const sum = (read: (state: LiveState) => number): number =>
      told(reader, 'state').reduce((total, state) => total + read(state), 0)
    await until('all rates', () =>
      [
        sum(({ rates }) => rates.allow.backend),
        sum(({ rates }) => rates.allow.session),
        sum(({ rates }) => rates.deny.backend),
        sum(({ rates }) => rates.deny.session),
      ].every((rate) => rate > 0),
    )
    assert.equal(
      sum(({ rates }) => rates.allow.default + rates.allow.stale + rates.deny.gate),
      0,
    )
    await backend.stop()
    await askGate(gate.port, { uri: '/c/index.m3u8?token=1' })
    const last = (): unknown => told(reader, 'state').at(-1)?.backends[0]
    await until('the outage', () => (last() as { state: string }).state === 'unavailable')
    const { reason, seconds } = last() as { reason: string; seconds: number }
    assert.equal(reason, 'refused')
    assert.ok(seconds >= 0)
  })

  test('tells who opens a session, who is denied and who ends, and why; and no token', async (t) => {
    const { adminPort, gate, backend, admin } = await start(t, { ALLOW_TTL: '50ms' })
    const reader = await join(t, adminPort)
    const kept = await askGate(gate.port, { uri: '/kept/index.m3u8?token=SECRET1' })
    await until('the start', () => told(reader, 'opened').length > 0)
    const [opened] = told(reader, 'opened').flatMap(({ sessions }) => sessions)
    assert.equal(opened?.session, kept.sessionId)
    assert.deepEqual(opened, {
      ...((await admin(`GET /sessions/${kept.sessionId}`)).json as object),
      ...opened,
    })
    backend.answer = status(403)
    await askGate(gate.port, { uri: '/no/index.m3u8?token=SECRET2' })
    await askGate(gate.port, { path: '/\u0001', uri: '/x?token=SECRET3' })
    const denials = () => told(reader, 'denied').flatMap((one) => one.denials)
    await until('both denials', () => denials().length === 2)
    assert.deepEqual(
      denials().map(({ path, reason, denial }) => [path, reason, denial]),
      [
        ['/no/index.m3u8', 'backend-403', 1],
        ['', 'bad-request', 2],
      ],
    )
    // Its time is over, and the backend now answers differently.
    await until('the end', async () => {
      await askGate(gate.port, { uri: '/kept/index.m3u8?token=SECRET1' })
      return ended(reader).length > 0
    })
    assert.deepEqual(ended(reader)[0], { session: kept.sessionId, why: 'denied' })
    backend.answer = status(200)
    const other = await askGate(gate.port, { uri: '/other/index.m3u8?token=SECRET1' })
    assert.equal((await admin(`DELETE /sessions/${other.sessionId}`)).status, 204)
    await until('the close', () => ended(reader).some(({ session }) => session === other.sessionId))
    assert.equal(ended(reader).find(({ session }) => session === other.sessionId)?.why, 'closed')
    const numbers = denials().map(({ denial }) => denial)
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at + 1),
      'each denial is told once',
    )
    assert.ok(numbers.length >= 3)
    assert.doesNotMatch(JSON.stringify(reader.events), /SECRET/)
  })

  test('tells sessions in batches, at most four a second', async (t) => {
    const { adminPort, gate } = await start(t)
    const reader = await join(t, adminPort)
    const began = performance.now()
    for (let n = 0; n < 400; n++) await askGate(gate.port, { uri: `/${n}/index.m3u8?token=1` })
    const sessions = () => told(reader, 'opened').flatMap((one) => one.sessions)
    await until('all of them', () => sessions().length === 400)
    const seconds = (performance.now() - began) / 1000
    const batches = told(reader, 'opened').length
    assert.ok(batches <= seconds * 4 + 1, `${batches} in ${seconds} s`)
    assert.deepEqual(
      sessions().map(({ path }) => path),
      Array.from({ length: 400 }, (_, n) => `/${n}/index.m3u8`),
    )
  })

  test('past a thousand changes at once it says to read all anew', async (t) => {
    const { adminPort, gate, backend, admin } = await start(t)
    backend.answer = status(200, { 'X-UserId': 'many' })
    for (let n = 0; n < 1001; n++)
      await askGate(gate.port, { uri: `/${n}/index.m3u8?token=1`, userAgent: `player-${n % 2}` })
    const reader = await join(t, adminPort)
    assert.deepEqual((await admin('DELETE /sessions?user=many')).json, { closed: 1001 })
    await until('the word', () => told(reader, 'reload').length === 1)
    assert.deepEqual(ended(reader), [])
    // And goes on as before.
    const { sessionId } = await askGate(gate.port)
    await until('the next start', () => told(reader, 'opened').length === 1)
    assert.equal(told(reader, 'opened')[0]?.sessions[0]?.session, sessionId)
  })

  test('32 may read at a time; who leaves makes room', async (t) => {
    const site = await start(t)
    const readers = await Promise.all(Array.from({ length: 32 }, () => join(t, site.adminPort)))
    await until('all of them to be told', () => readers.every(({ events }) => events.length > 0))
    const refused = await site.admin('GET /events')
    assert.equal(refused.status, 503)
    assert.match(errorOf(refused), /32 readers.*close one/)
    readers[0]?.leave()
    await until('room', async () => (await connections(site)) === 31)
    const late = await join(t, site.adminPort)
    assert.equal(late.status, 200)
    const { sessionId } = await askGate(site.gate.port)
    for (const reader of [...readers.slice(1), late]) {
      await until('everybody to be told', () => told(reader, 'opened').length === 1)
      assert.equal(told(reader, 'opened')[0]?.sessions[0]?.session, sessionId)
    }
  })

  test('a reader that does not read is dropped, and holds no more than a bounded buffer; the others read on', async (t) => {
    const site = await start(t)
    const { gate, adminPort, backend } = site
    backend.answer = status(403)
    let atServer: Socket | undefined
    gate.service.adminServer?.once('connection', (socket) => {
      atServer = socket
    })
    const slow = connect(adminPort, '127.0.0.1')
    t.after(() => void slow.destroy())
    slow.on('error', () => {})
    slow.pause()
    slow.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await until('the slow one to be there', async () => (await connections(site)) === 1)
    const reader = await join(t, adminPort)
    let most = 0
    let n = 0
    await until(
      'the slow one to be dropped',
      async () => {
        // A hundred denials of some 6 KB fill each batch.
        const userAgent = `${'u'.repeat(2000)}`
        await Promise.all(
          Array.from({ length: 16 }, () =>
            askGate(gate.port, {
              uri: `/${'p'.repeat(4000)}${n++}?token=1`,
              userAgent,
              address: `192.0.2.${n % 250}`,
            }),
          ),
        )
        most = Math.max(most, atServer?.writableLength ?? 0)
        return atServer?.destroyed === true
      },
      60_000,
    )
    assert.ok(most < 4_000_000, `${most} bytes waited`)
    await until('the other to be told the latest', () => {
      const latest = told(reader, 'denied').at(-1)?.denials.at(-1)
      return latest?.denial === n
    })
    await until('one to be left', async () => (await connections(site)) === 1)
  })

  test('no timer is left when the last reader has gone', async (t) => {
    const site = await start(t)
    const alive = watchTimers(t)
    await askGate(site.gate.port)
    assert.equal(alive(), 0, 'without readers there is none')
    const [one, other] = [await join(t, site.adminPort), await join(t, site.adminPort)]
    assert.equal(alive(), 1)
    await askGate(site.gate.port, { uri: '/2/index.m3u8?token=1' })
    assert.ok(alive() >= 1)
    one.leave()
    await until('one of them to leave', async () => (await connections(site)) === 1)
    assert.ok(alive() >= 1)
    await askGate(site.gate.port, { uri: '/3/index.m3u8?token=1' })
    other.leave()
    await until('nobody to be there', async () => (await connections(site)) === 0)
    await until('no timer to be there', () => alive() === 0)
    await askGate(site.gate.port, { uri: '/4/index.m3u8?token=1' })
    assert.equal(alive(), 0)
    const again = await join(t, site.adminPort)
    await until('the next one to be told', () => told(again, 'state').length >= 2)
    assert.deepEqual(told(again, 'opened'), [], 'what was before is not told')
  })

  test('ends with the gate, at once', async (t) => {
    const { adminPort, gate } = await start(t, { BACKEND_TIMEOUT: '60s' })
    const reader = await join(t, adminPort)
    await until('it to be told', () => reader.events.length > 0)
    const began = performance.now()
    await gate.service.stop()
    const took = performance.now() - began
    assert.ok(took < 20_000, `${took} ms`)
  })
})

/** Counts the timers that event-stream.ts has running from now on. */
function watchTimers(t: TestContext): () => number {
  const running = new Set<unknown>()
  const ofStream = (): boolean => new Error('where').stack?.includes('event-stream.ts') === true
  const { setInterval: interval, setTimeout: timeout, clearInterval: stop, clearTimeout: cancel } = globalThis
  const setTimer = (act: () => void, milliseconds: number): NodeJS.Timeout => {
    const timer = timeout(() => {
      running.delete(timer)
      act()
    }, milliseconds)
    running.add(timer)
    return timer
  }
  t.mock.method(globalThis, 'setTimeout', (act: () => void, milliseconds: number) =>
    ofStream() ? setTimer(act, milliseconds) : timeout(act, milliseconds),
  )
  t.mock.method(globalThis, 'setInterval', (act: () => void, milliseconds: number) => {
    const timer = interval(act, milliseconds)
    if (ofStream()) running.add(timer)
    return timer
  })
  const clear = (really: typeof stop) => (timer: NodeJS.Timeout | undefined) => {
    running.delete(timer)
    really(timer)
  }
  t.mock.method(globalThis, 'clearInterval', clear(stop))
  t.mock.method(globalThis, 'clearTimeout', clear(cancel))
  return () => running.size
}

/** As much of a response as a stream needs. */
function pretendResponse(): { readonly response: ServerResponse; text(): string } {
  const written: string[] = []
  const response = {
    writableLength: 0,
    on: () => response,
    writeHead: () => response,
    write: (chunk: Buffer | string) => written.push(String(chunk)),
    end() {},
    destroy() {},
  }
  return { response: response as unknown as ServerResponse, text: () => written.join('') }
}

describe('the clock of the event stream', () => {
  test('writes a comment every 15 s, so that nobody takes the connection for a dead one', (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const stream = createEventStream({
      state: () => ({}),
      viewOf: () => assert.fail(),
      denials: { after: () => [], latest: () => 0 },
      onInternalError: (error) => assert.fail(String(error)),
    })
    const { response, text } = pretendResponse()
    assert.equal(stream.add(response), true)
    t.mock.timers.tick(14_999)
    assert.doesNotMatch(text(), /^:/m)
    t.mock.timers.tick(1)
    assert.match(text(), /\n\n:\n\n$/)
    t.mock.timers.tick(30_000)
    assert.equal(text().match(/^:$/gm)?.length, 3)
    assert.equal(text().match(/^event: state$/gm)?.length, 46)
  })

  test('who ends and is resumed within one batch is told as opened only', (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const stream = createEventStream({
      state: () => ({}),
      viewOf: ({ id }) => ({ session: id }) as SessionView,
      denials: { after: () => [], latest: () => 0 },
      onInternalError: (error) => assert.fail(String(error)),
    })
    const { response, text } = pretendResponse()
    stream.add(response)
    const [one, other] = [{ id: 'one' } as Session, { id: 'other' } as Session]
    stream.ended(one, 'idle')
    stream.returned(one, 'resumed')
    stream.opened(one)
    stream.returned(other, 'adopted')
    stream.ended(other, 'closed')
    t.mock.timers.tick(250)
    const events = text().split('\n\n').slice(1)
    assert.deepEqual(events, [
      'event: opened\ndata: {"sessions":[{"session":"one"},{"session":"other"}]}',
      'event: ended\ndata: {"sessions":[{"session":"other","why":"closed"}]}',
      '',
    ])
  })

  test('a fault in it is told, and ends nothing', (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    let broken = false
    const errors: unknown[] = []
    const stream = createEventStream({
      state: () => (broken ? assert.fail('broken') : {}),
      viewOf: () => assert.fail(),
      denials: { after: () => (broken ? assert.fail('broken') : []), latest: () => 0 },
      onInternalError: (error) => errors.push(error),
    })
    const { response, text } = pretendResponse()
    stream.add(response)
    broken = true
    stream.denied()
    t.mock.timers.tick(1_000)
    assert.equal(errors.length, 2)
    broken = false
    t.mock.timers.tick(1_000)
    assert.equal(errors.length, 2)
    assert.equal(text().match(/^event: state$/gm)?.length, 2)
  })
})
