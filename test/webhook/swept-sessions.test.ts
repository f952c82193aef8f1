import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { newSessionId, Session, type SessionEnd } from '../../src/session/session.ts'
import { createToIso, viewOf } from '../../src/session/session-view.ts'
import { createSessionStore, type SessionStore } from '../../src/state/session-store.ts'
import type { SessionEvent } from '../../src/webhook/session-event.ts'
import { createSessionEvents } from '../../src/webhook/session-events.ts'
import { type LevelPlace, makeLevelPlace } from '../state/level-place.ts'
import { clientRequest } from '../support/pretend-gate.ts'

const IDLE = 120_000
const patterns = { channelPattern: undefined, credentialPattern: undefined }
const identify = createIdentify({ tokenParams: ['token'], ignoredParams: [], ...patterns })
const scopeOf = createScopeOf(patterns)

interface Process {
  readonly store: SessionStore
  readonly told: SessionEvent[]
  /** Opens an allowed session. */
  open(user: string): Session
  stop(): Promise<void>
}

/** A process with the store of this place, and its events. Its timers are real, its clock is the place's. */
async function startProcess(place: LevelPlace, minTime: number): Promise<Process> {
  const clock = (): number => place.clocks.uptimeNow
  const toIso = createToIso(clock, () => place.clocks.wallNow)
  const told: SessionEvent[] = []
  const ended = (session: Session, why: SessionEnd): void => events.ended(session, why)
  const timers = new Set<NodeJS.Timeout>()
  const after = (milliseconds: number, act: () => void): (() => void) => {
    const timer = setTimeout(act, milliseconds)
    timers.add(timer)
    return () => clearTimeout(timer)
  }
  const store = createSessionStore({
    store: place.create(),
    ...{ clock, identify, scopeOf, idle: IDLE, max: 64_000_000, timeout: 30_000 },
    after,
    onSilent: (session) => ended(session, 'idle'),
    onClosed: (session) => ended(session, 'closed'),
    onReturned() {},
    onCommand() {},
    onChange() {},
    onSetAside: assert.fail,
  })
  const nothing = (): void => {}
  const events = createSessionEvents({
    ...{ gate: 'gate-1', receiver: '', minTime, clock, toIso },
    viewOf: (session) => viewOf(session, toIso, store.standing(session)),
    async post(json) {
      told.push(...(JSON.parse(json) as { events: SessionEvent[] }).events)
      return { kind: 'answered', status: 200 }
    },
    after,
    random: () => 0,
    log: { error: nothing, warn: nothing, info: nothing, debug: nothing, debugs: false },
  })
  await store.start(30_000)
  return {
    store,
    told,
    open(user) {
      const request = clientRequest(`/live/${user}/index.m3u8?token=${user}`, { userAgent: user })
      const identity = identify(request)
      const session = new Session(identity, request, newSessionId(), clock(), scopeOf(identity))
      session.userId = user
      session.dueAt = Number.POSITIVE_INFINITY
      events.opened(session)
      store.granted(session, 900_000)
      return session
    },
    async stop() {
      await events.stop()
      await store.stop(30_000)
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

const namesOf = (told: readonly SessionEvent[]): string[] =>
  told.flatMap((one) =>
    one.event === 'end' ? [`${one.user} ${one.part} ${one.reason} ${one.lastRequest < one.end}`] : [],
  )

describe('sessions that went silent while no gate ran', () => {
  for (const minTime of [0, 10_000]) {
    test(`end later, each once, with the time of their last request; EVENTS_MIN_TIME=${minTime}ms`, async (t) => {
      const place = makeLevelPlace(t)
      const first = await startProcess(place, minTime)
      first.open('anna')
      first.open('ben')
      await first.stop()
      place.pass(IDLE + 60_000)

      const second = await startProcess(place, minTime)
      second.open('carla')
      await second.store.sweep()
      await second.store.sweep()
      await second.stop()
      assert.deepEqual(namesOf(second.told).sort(), ['anna 1 idle true', 'ben 1 idle true'])

      const third = await startProcess(place, minTime)
      await third.store.sweep()
      await third.stop()
      assert.deepEqual(namesOf(third.told), [])
    })
  }

  test('whoever plays is not told of', async (t) => {
    const place = makeLevelPlace(t)
    const first = await startProcess(place, 0)
    first.open('anna')
    await first.stop()
    place.pass(IDLE - 1)
    const second = await startProcess(place, 0)
    await second.store.sweep()
    await second.stop()
    assert.deepEqual(second.told, [])
  })

  test('what a filter has closed ends as closed, also when the search comes later', async (t) => {
    const place = makeLevelPlace(t)
    const first = await startProcess(place, 0)
    first.open('anna')
    await first.stop()
    place.pass(1_000)
    const second = await startProcess(place, 0)
    assert.equal(await second.store.mark({ user: 'anna' }), true)
    await second.store.sweep()
    assert.equal(await second.store.removeStored({}), 0)
    await second.stop()
    assert.deepEqual(namesOf(second.told), ['anna 1 closed true'])
  })
})
