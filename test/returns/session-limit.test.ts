import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { startInheritedGate } from '../support/inherited-gate.ts'
import { restart } from '../support/play-through-restarts.ts'
import { startPortal } from '../support/portal.ts'
import { startReceiver } from '../support/receiver.ts'
import { rounds } from '../support/rounds.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** One user's players, by name, and a gate that is started again with the same store. */
async function startUser(t: TestContext, maxSessions: number, environment: Environment = {}) {
  const portal = await startPortal(t, maxSessions)
  const settings = {
    BACKEND_URL: portal.backend.url,
    MIDDLEWARE: 'ministra',
    STATE_URL: `file:${makeTemporaryFolder(t)}/state`,
    ...environment,
  }
  let gate: Gate = await startGate(t, settings)
  const ask = async (uri: string, userAgent: string, isHead = false): Promise<string> => {
    const { verdict, reason } = await askGate(gate.port, { uri, userAgent, isHead })
    return verdict === 'allow' ? verdict : reason
  }
  const urls = new Map<string, string>()
  const newUrl = (player: string): string => {
    const url = `/live/${player}/index.m3u8?token=${portal.links.issue('42')}`
    urls.set(player, url)
    return url
  }
  return {
    gate: () => gate,
    killLinks: portal.killLinks,
    async restart(more: Environment = {}) {
      await gate.service.stop()
      gate = await startGate(t, { ...settings, ...more })
    },
    open: (player: string) => ask(newUrl(player), player),
    head: (player: string) => ask(newUrl(player), player, true),
    /** The URL that it opened last. */
    again: (player: string, isHead?: boolean) => ask(urls.get(player) ?? '', player, isHead),
    segment: (player: string) => ask(`/live/${player}/1.ts`, player),
    /** Nobody waits for the judgement of who is adopted: it may get one more answer. */
    untilOut: (player: string) =>
      until(
        `${player} is out`,
        async () => (await ask(`/live/${player}/1.ts`, player)) === 'session-limit',
        2_000,
      ),
  }
}

describe('the limit after a restart', () => {
  test('who plays is counted with their age: the newest two play, whoever comes back first', async (t) => {
    const user = await startUser(t, 2)
    assert.equal(await user.open('tv'), 'allow')
    assert.equal(await user.open('phone'), 'allow')
    await user.restart()
    assert.equal(await user.open('tablet'), 'allow')
    user.killLinks()
    assert.equal(await user.segment('tv'), 'allow', 'the phone has not come back yet')
    assert.equal(await user.segment('phone'), 'allow')
    await user.untilOut('tv')
    assert.equal(await user.segment('tablet'), 'allow')
    assert.equal(await user.segment('phone'), 'allow')
  })

  test('a displaced viewer does not come back, and the one in their place is still counted', async (t) => {
    const user = await startUser(t, 1)
    await user.open('tv')
    await user.open('phone')
    user.killLinks()
    await user.restart()
    assert.notEqual(await user.segment('tv'), 'allow')
    assert.equal(await user.segment('phone'), 'allow')
    assert.equal(await user.open('bedroom'), 'allow')
    assert.equal(await user.segment('phone'), 'session-limit')
  })

  test('who was put out stays out: the place is not handed back', async (t) => {
    const user = await startUser(t, 1)
    await user.open('tv')
    await user.open('phone')
    assert.equal(await user.open('tv'), 'session-limit')
    await user.restart()
    assert.equal(await user.open('tv'), 'session-limit')
    assert.equal(await user.segment('phone'), 'allow')
    assert.equal(await user.open('tv'), 'session-limit')
  })

  test('what only a HEAD has opened counts when it plays', async (t) => {
    const user = await startUser(t, 1)
    await user.open('tv')
    assert.equal(await user.head('phone'), 'allow')
    user.killLinks()
    await user.restart()
    assert.equal(await user.segment('tv'), 'allow')
    assert.equal(await user.segment('phone'), 'allow')
    await user.untilOut('tv')
  })

  test('a HEAD that resumes a silent session displaces nobody; the GET that follows does', async (t) => {
    const user = await startUser(t, 1, { SESSION_IDLE: '1s', SESSION_RESUME: '10m' })
    await user.open('phone')
    user.killLinks()
    await delay(1_100)
    assert.equal(await user.open('tv'), 'allow')
    assert.equal(await user.again('phone', true), 'allow')
    assert.equal(await user.segment('tv'), 'allow')
    assert.equal(await user.again('phone'), 'allow')
    assert.equal(await user.segment('tv'), 'session-limit')
  })

  test('the settings of the new start count: a greater MIN_USER_SESSIONS cuts nobody', async (t) => {
    const user = await startUser(t, 1, { SESSION_LIMIT: 'report' })
    await user.open('tv')
    await user.open('phone')
    user.killLinks()
    await user.restart({ SESSION_LIMIT: 'newest', MIN_USER_SESSIONS: '2' })
    for (let n = 0; n < 2; n++)
      for (const player of ['tv', 'phone']) assert.equal(await user.segment(player), 'allow')
    await user.restart({ SESSION_LIMIT: 'newest' })
    assert.equal(await user.segment('phone'), 'allow')
    await user.untilOut('tv')
    assert.equal(await user.segment('phone'), 'allow')
  })

  test('one that comes back without a place is told as ended: log and webhook', async (t) => {
    const receiver = await startReceiver(t)
    const user = await startUser(t, 1, { EVENTS_URL: `http://127.0.0.1:${receiver.port}/` })
    await user.open('tv')
    await user.restart()
    await user.open('phone')
    await user.segment('tv')
    await until('the end of the television', () => receiver.end('tv') !== undefined)
    assert.equal(receiver.end('tv')?.reason, 'displaced')
    const lines = user.gate().log.filter(({ message }) => message === 'session displaced')
    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.['path'], '/live/tv/index.m3u8')
    assert.notEqual(lines[0]?.['by'], '')
  })
})

test('kill -9 right after a displacement: the displaced session does not come back', async (t) => {
  const portal = await startPortal(t, 1)
  const gate = await startInheritedGate(t, {
    BACKEND_URL: portal.backend.url,
    MIDDLEWARE: 'ministra',
    STATE_URL: `file:${makeTemporaryFolder(t)}/state`,
  })
  for (let round = 0; round < rounds(1, 5); round++) {
    const ask = async (player: string, file: string): Promise<string> => {
      const userAgent = `${player}-${round}`
      const { verdict } = await askGate(gate.port, { uri: `/live/one/${file}`, userAgent })
      return verdict
    }
    const open = (player: string): Promise<string> =>
      ask(player, `index.m3u8?token=${portal.links.issue(`user-${round}`)}`)
    assert.equal(await open('tv'), 'allow')
    // Written behind within 100 ms, and a busy machine may be late.
    await delay(1_000)
    assert.equal(await open('phone'), 'allow')
    await restart(gate, 'SIGKILL')
    portal.killLinks()
    assert.equal(await ask('tv', '1.ts'), 'deny')
  }
})
