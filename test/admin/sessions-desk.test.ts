import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  createSessionsDesk,
  type SessionsDesk,
  type SessionsDeskOptions,
} from '../../src/admin/sessions-desk.ts'
import { createToIso } from '../../src/session/session-view.ts'
import { clientRequest, createPretendGate, type PretendGate, unavailable } from '../support/pretend-gate.ts'

const START = Date.parse('2026-11-25T12:00:00.000Z')

type Store = NonNullable<SessionsDeskOptions['store']>

/** @param store what it does; it may do nothing else */
function startDesk(gate: PretendGate, store?: Partial<Store>): SessionsDesk {
  const toIso = createToIso(gate.now, () => START + gate.now())
  const fail = async (): Promise<never> => assert.fail()
  const pretended = store && {
    ...{ remove: fail, mark: fail, removeStored: fail, standing: () => undefined },
    state: () => ({ usable: false, since: 0, message: 'its disk is away' }),
    ...store,
  }
  return createSessionsDesk({ tables: [gate.sessions, gate.provisional], toIso, store: pretended })
}

async function open(gate: PretendGate, address: string, channel: string): Promise<string> {
  const { sessionId } = await gate.decide(clientRequest(`/live/${channel}/index.m3u8?token=X`, { address }))
  return sessionId
}

/** All pages, one after the other; `between` runs after each. */
function readPages(desk: SessionsDesk, limit: number, between: () => void = () => {}): string[] {
  const ids: string[] = []
  let after: string | null = null
  for (let pages = 0; pages < 100; pages++) {
    const page = desk.list({}, limit, after)
    ids.push(...page.sessions.map(({ session }) => session))
    if (page.next === null) return ids
    after = page.next
    between()
  }
  return assert.fail('the pages have no end')
}

describe('the desk of sessions', () => {
  test('goes on behind a page that ends with a session of an earlier process', async () => {
    const gate = createPretendGate()
    const ids: string[] = []
    for (const n of [1, 2, 3, 4]) {
      ids.unshift(await open(gate, `192.0.2.${n}`, 'one'))
      const [held] = [...gate.sessions.all()].filter(({ id }) => id === ids[0])
      if (held !== undefined) held.openedAt = n - 10
    }
    assert.deepEqual(readPages(startDesk(gate), 1), ids)
  })

  test('shows who, what and since when, and no token', async () => {
    const gate = createPretendGate()
    gate.answers(() => ({
      kind: 'allow',
      backend: 'pretend',
      grant: { authDuration: '600', userId: 'anna' },
    }))
    gate.pass(5_000)
    const id = await open(gate, '192.0.2.7', 'one')
    gate.pass(10_000)
    await gate.decide(clientRequest('/live/one/1.ts', { address: '192.0.2.7' }))
    const desk = startDesk(gate)
    const shown = desk.find(id)
    assert.deepEqual(shown, {
      session: id,
      user: 'anna',
      channel: '/live/one/index.m3u8',
      address: '192.0.2.7',
      origin: 'https://live.example.com',
      path: '/live/one/index.m3u8',
      userAgent: 'VLC/3.0.21',
      playbackId: '',
      provisional: false,
      start: '2026-11-25T12:00:05.000Z',
      lastRequest: '2026-11-25T12:00:15.000Z',
      requests: 2,
      recheck: '2026-11-25T12:10:05.000Z',
      unavailable: null,
      part: 1,
      came: 'opened',
      plays: null,
      limit: null,
    })
    assert.deepEqual(desk.list({}, 10, null), { sessions: [shown], next: null, total: 1 })
  })

  test('pages hold each session once, the newest first, whatever opens, ends and is touched meanwhile', async () => {
    const gate = createPretendGate()
    const ids: string[] = []
    for (let at = 0; at < 95; at++) {
      // Several in one millisecond.
      if (at % 10 === 0) gate.pass(1)
      ids.push(await open(gate, `192.0.2.${at}`, `c${at}`))
    }
    const desk = startDesk(gate)
    let changes = 0
    const opening: Promise<string>[] = []
    const seen = readPages(desk, 10, () => {
      changes++
      opening.push(open(gate, `198.51.100.${changes}`, 'late'))
      gate.decideAtOnce(clientRequest('/live/c0/1.ts', { address: '192.0.2.0' }))
      gate.pass(1)
    })
    await Promise.all(opening)
    const before = seen.filter((id) => ids.includes(id))
    assert.equal(new Set(before).size, 95)
    assert.equal(before.length, 95)
    const opened = seen.map((id) => desk.find(id)?.start ?? '')
    assert.deepEqual(opened, [...opened].sort().reverse())
    assert.equal(desk.list({}, 1, null).total, 95 + changes)
  })

  test('filters by channel, address and user, each alone and together; provisional sessions are among them', async () => {
    const gate = createPretendGate({ defaultAction: 'allow', channelPattern: /^\/live\/([^/]+)\// })
    await open(gate, '192.0.2.1', 'one')
    await open(gate, '192.0.2.1', 'two')
    await open(gate, '192.0.2.2', 'one')
    gate.answers(unavailable)
    await open(gate, '192.0.2.3', 'one')
    const desk = startDesk(gate)
    const count = (filter: object): number => desk.list(filter, 10, null).total
    assert.equal(count({}), 4)
    assert.equal(count({ channel: 'one' }), 3)
    assert.equal(count({ address: '192.0.2.1' }), 2)
    assert.equal(count({ address: '192.0.2.1', channel: 'one' }), 1)
    assert.equal(count({ user: '' }), 4)
    assert.equal(count({ user: 'nobody' }), 0)
    assert.deepEqual(
      desk.list({ address: '192.0.2.3' }, 10, null).sessions.map(({ provisional }) => provisional),
      [true],
    )
  })

  test('closing one lets its next request be judged anew; the others of the viewer go on', async () => {
    const gate = createPretendGate()
    const id = await open(gate, '192.0.2.1', 'one')
    await open(gate, '192.0.2.1', 'two')
    const desk = startDesk(gate)
    assert.deepEqual(await desk.close(id), { closed: 1 })
    assert.deepEqual(await desk.close(id), { closed: 0 })
    assert.equal(desk.find(id), undefined)
    const segment = (channel: string) =>
      gate.decide(clientRequest(`/live/${channel}/1.ts`, { address: '192.0.2.1' }))
    assert.equal((await segment('one')).verdict, 'deny')
    assert.equal((await segment('two')).reason, 'riding')
  })

  test('closing all of a filter ends exactly those, and tells how many', async () => {
    const gate = createPretendGate()
    for (let at = 0; at < 6; at++) await open(gate, `192.0.2.${at % 2}`, `c${at}`)
    const desk = startDesk(gate)
    assert.deepEqual(await desk.closeAll({ address: '192.0.2.1' }), { closed: 3 })
    assert.deepEqual(await desk.closeAll({ address: '192.0.2.1' }), { closed: 0 })
    assert.equal(desk.list({}, 10, null).total, 3)
    assert.deepEqual(await desk.closeAll({}), { closed: 3 })
  })

  test('a session ends only when its end is written, or has failed to be', async () => {
    for (const written of [true, false]) {
      const gate = createPretendGate()
      const id = await open(gate, '192.0.2.1', 'one')
      const order: string[] = []
      const desk = startDesk(gate, {
        async remove(session) {
          await setImmediate()
          order.push(`${session.id === id} ${gate.sessions.count()}`)
          return written
        },
      })
      const { closed, inStore } = await desk.close(id)
      assert.deepEqual([closed, inStore?.written], [1, written])
      assert.equal(inStore?.message?.includes('its disk is away'), written ? undefined : true)
      assert.deepEqual(order, ['true 1'])
      assert.equal(gate.sessions.count(), 0)
    }
  })

  test('a filter counts from before the first session ends; who comes meanwhile stays', async () => {
    const gate = createPretendGate()
    await open(gate, '192.0.2.1', 'one')
    const marked: unknown[] = []
    const desk = startDesk(gate, {
      async mark(filter) {
        marked.push([filter, gate.sessions.count()])
        gate.pass(1)
        await open(gate, '192.0.2.1', 'two')
        return { number: 1, written: true }
      },
    })
    const filter = { address: '192.0.2.1' }
    assert.deepEqual(await desk.closeAll(filter), { closed: 1, inStore: { written: true } })
    assert.deepEqual(marked, [[filter, 1]])
    assert.equal(gate.sessions.count(), 1)
  })

  test('times are told alike each time, and follow a wall clock that is set anew', () => {
    let monotonic = 0.2
    let wall = START + 0.9
    const toIso = createToIso(
      () => Math.round(monotonic),
      () => Math.floor(wall),
    )
    const told = new Set<string>()
    for (let at = 0; at < 100; at++) {
      monotonic += 10.37
      wall += 10.37
      told.add(toIso(0))
    }
    assert.equal(told.size, 1)
    wall += 3_600_000
    assert.equal(toIso(0).slice(0, 16), '2026-11-25T13:00')
  })
})
