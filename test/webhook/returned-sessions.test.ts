import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SessionEnded, SessionEvent, SessionStarted } from '../../src/webhook/session-event.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { type KeptGate, startKeptGate } from '../support/kept-gate.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

const PATIENCE = 60_000

const allow: Backend['answer'] = (_asked, response) =>
  void response.writeHead(200, { 'X-UserId': 'anna', 'X-AuthDuration': '600' }).end()

async function start(t: Scope, more: Readonly<Record<string, string>> = {}) {
  const [backend, receiver] = await Promise.all([startBackend(t), startReceiver(t)])
  backend.answer = allow
  const gate = await startKeptGate(t, {
    BACKEND_URL: backend.url,
    EVENTS_URL: `http://127.0.0.1:${receiver.port}/`,
    ...more,
  })
  return { backend, receiver, gate }
}

/** The events about sessions so far, as `start 1` or `end 1 idle`. */
function toldOf({ posts }: Receiver): string[] {
  return eventsOf({ posts }).flatMap((event) =>
    event.event === 'gate-started'
      ? []
      : [`${event.event} ${event.part}${event.event === 'end' ? ` ${event.reason}` : ''}`],
  )
}

function eventsOf({ posts }: Pick<Receiver, 'posts'>): SessionEvent[] {
  return posts.flatMap(({ batch }) => batch.events)
}

/** Whether sessions of earlier starts go on, as each start of the gate has said. */
function startsOf(receiver: Receiver): boolean[] {
  return eventsOf(receiver).flatMap((event) => (event.event === 'gate-started' ? [event.sessionsGoOn] : []))
}

const play = async (gate: KeptGate): Promise<string> => (await gate.ask({})).reason

describe('the events of a session that outlives its process', { concurrency: 3 }, () => {
  test('are one start and one end, over a restart and a kill -9; the gate says that its sessions go on', async (t) => {
    const { receiver, gate } = await start(t)
    assert.equal(await play(gate), 'backend-200')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await until('the gate to be told of', () => startsOf(receiver).length > 0)
      await gate.restart(signal)
      assert.equal(await play(gate), 'adopted')
    }
    assert.equal((await gate.admin('DELETE /sessions?user=anna')).status, 200)
    await until('the end', () => toldOf(receiver).length > 1, PATIENCE)
    assert.deepEqual(toldOf(receiver), ['start 1', 'end 1 closed'])
    assert.ok(startsOf(receiver).every(Boolean))
    const [first, last] = eventsOf(receiver).filter((event) => event.event !== 'gate-started')
    const { session, start: began } = first as SessionStarted
    assert.deepEqual([session, began.slice(0, 19)], [last?.session, last?.start.slice(0, 19)])
  })

  test('closed before anybody has adopted it, nobody tells its end: the last interim is that', async (t) => {
    const { receiver, gate } = await start(t)
    assert.equal(await play(gate), 'backend-200')
    await gate.restart('SIGTERM')
    assert.deepEqual((await gate.admin('DELETE /sessions?all=yes')).json, { closed: 0, written: true })
    await gate.restart('SIGTERM')
    assert.deepEqual(toldOf(receiver), ['start 1'])
  })

  test('each resuming is one more part, with a start of its own', async (t) => {
    const { receiver, gate } = await start(t, { SESSION_IDLE: '1s' })
    assert.equal(await play(gate), 'backend-200')
    await until('the first end', () => toldOf(receiver).length === 2, PATIENCE)
    assert.equal(await play(gate), 'resumed')
    await until('the second end', () => toldOf(receiver).length === 4, PATIENCE)
    assert.deepEqual(toldOf(receiver), ['start 1', 'end 1 idle', 'start 2', 'end 2 idle'])
    const [, one, again, two] = eventsOf(receiver).filter((event) => event.event !== 'gate-started')
    assert.equal(one?.session, two?.session)
    assert.equal(again?.start, two?.start)
    assert.ok((one as SessionEnded).end <= (again?.start ?? ''))
    assert.equal((two as SessionEnded).requests, 1)
  })

  test('closed while silent, nothing more is told', async (t) => {
    const { receiver, gate } = await start(t, { SESSION_IDLE: '1s' })
    await play(gate)
    await until('the end', () => toldOf(receiver).length === 2, PATIENCE)
    assert.deepEqual((await gate.admin('DELETE /sessions?all=yes')).json, { closed: 0, written: true })
    await gate.end('SIGTERM')
    assert.deepEqual(toldOf(receiver), ['start 1', 'end 1 idle'])
  })

  test('without a store the gate says that they are over', async (t) => {
    const { receiver } = await start(t, { STATE_URL: 'off' })
    await until('the start', () => startsOf(receiver).length === 1, PATIENCE)
    assert.deepEqual(startsOf(receiver), [false])
  })
})
