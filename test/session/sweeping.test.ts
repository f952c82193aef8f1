import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createSessionsDesk } from '../../src/admin/sessions-desk.ts'
import { createMemory } from '../../src/service/create-memory.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session, type SessionEnd } from '../../src/session/session.ts'
import { clientRequest } from '../support/pretend-gate.ts'

const COUNT = 4_500
const SLICE = 1_000

/** A table full of sessions of many viewers, and the sessions that have ended so far. */
function fill() {
  const ended: SessionEnd[] = []
  const memory = createMemory(
    { maxSessions: 10_000, sessionMemory: 1e9, sessionIdle: 120_000 },
    { onOpened() {}, onEnded: (_session, why) => void ended.push(why) },
  )
  const patterns = { channelPattern: undefined, credentialPattern: undefined }
  const identify = createIdentify({ tokenParams: ['token'], ignoredParams: [], ...patterns })
  const scopeOf = createScopeOf(patterns)
  for (let n = 0; n < COUNT; n++) {
    const request = clientRequest('/live/index.m3u8', { address: `10.0.${n >> 8}.${n & 255}` })
    const identity = identify(request)
    memory.sessions.open(new Session(identity, request, `id-${n}`, 0, scopeOf(identity)), 0)
  }
  return { memory, ended }
}

/** How many ended in each turn of the event loop, until none does. */
async function turnsOf(ended: readonly unknown[]): Promise<number[]> {
  const turns: number[] = [ended.length]
  for (let before = ended.length; ended.length < COUNT && turns.length < 50; before = ended.length) {
    await setImmediate()
    turns.push(ended.length - before)
  }
  return turns
}

/**
 * Sweeps when all sessions that `fill` opened have gone silent, on a pretend clock. The first turn is over.
 */
function startSweeping(t: TestContext): { ended: readonly unknown[]; stop: () => void } {
  const { memory, ended } = fill()
  t.mock.timers.enable({ apis: ['setInterval'] })
  const stop = memory.startSweeping(() => 121_000)
  t.mock.timers.tick(5_000)
  return { ended, stop }
}

describe('when thousands of sessions end at once, others are answered in between:', () => {
  test('all have gone silent', async (t) => {
    const { ended, stop } = startSweeping(t)
    const turns = await turnsOf(ended)
    stop()
    assert.equal(ended.length, COUNT)
    assert.deepEqual([...new Set(ended)], ['idle'])
    assert.ok(Math.max(...turns) <= SLICE, turns.join(' '))
  })

  test('the operator closes them', async () => {
    const { memory, ended } = fill()
    const desk = createSessionsDesk({ tables: [memory.sessions], toIso: () => '' })
    const closing = desk.closeAll({ channel: '/live/index.m3u8' })
    // One of them has ended before its turn.
    const last = [...memory.sessions.all()].at(-1)
    if (last !== undefined) memory.sessions.end(last, 'idle')
    const turns = await turnsOf(ended)
    assert.deepEqual(await closing, { closed: COUNT - 1 })
    assert.equal(ended.filter((why) => why === 'closed').length, COUNT - 1)
    assert.ok(Math.max(...turns) <= SLICE + 1, turns.join(' '))
  })

  test('nothing goes on once it was stopped', async (t) => {
    const { ended, stop } = startSweeping(t)
    stop()
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    assert.equal(ended.length, SLICE)
    t.mock.timers.tick(50_000)
    assert.equal(ended.length, SLICE)
  })
})
