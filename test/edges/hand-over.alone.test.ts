import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { GateAnswer } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startCutOff } from '../support/cut-off.ts'
import { edgeSettings } from '../support/edges.ts'
import { type KeptGate, startKeptGate } from '../support/kept-gate.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { portOf, startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

/** SESSION_IDLE and ALLOW_TTL, and when a silent session has surely left a table; milliseconds. */
const IDLE = 3_000
const ALLOW = 2_000
const GONE = IDLE + 6_000

describe('a viewer between two gates', () => {
  const site = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    const tokens = createOneTimeTokens()
    /** Questions about tokens that the backend allows again and again, for a short time each. */
    let rechecks = 0
    backend.answer = (asked, response, request) => {
      if (!asked.target.includes('token=again')) return tokens.answer(asked, response, request)
      rechecks++
      response.writeHead(200).end()
    }
    const valkey = await startValkey(scope)
    const proxy = await startCutOff(scope, portOf(valkey.address))
    const settings = {
      ...edgeSettings(backend),
      ...{ STATE_TIMEOUT: '1s', SESSION_IDLE: `${IDLE / 1_000}s`, ALLOW_TTL: `${ALLOW / 1_000}s` },
    }
    const [one, other] = await Promise.all([
      startKeptGate(scope, { ...settings, ...storeOf(valkey, { port: proxy.port }) }),
      startKeptGate(scope, { ...settings, ...storeOf(valkey) }),
    ])
    return { tokens, proxy, one, other, rechecks: () => rechecks }
  })

  /** A player with its link; `on` asks for a segment, which has no token. */
  const viewer = (name: string, token = site.tokens.issue(name)) => {
    const uri = `/live/one/index.m3u8?token=${token}`
    const ask = (gate: KeptGate, what: string): Promise<GateAnswer> =>
      gate.ask({ uri: what, userAgent: name })
    return {
      open: (gate: KeptGate) => ask(gate, uri),
      on: (gate: KeptGate) => ask(gate, '/live/one/1.ts'),
      async plays(gate: KeptGate, milliseconds: number): Promise<void> {
        const end = performance.now() + milliseconds
        while (performance.now() < end) {
          const { status, reason } = await ask(gate, '/live/one/1.ts')
          assert.equal(status, 200, reason)
          await delay(250)
        }
      },
    }
  }
  const untilNoticed = (): Promise<void> =>
    until('the gate notices', async () =>
      (await site.one.admin('GET /readyz')).body.includes('"usable":false'),
    )
  const untilBack = (): Promise<void> =>
    until('the gate is back', async () =>
      (await site.one.admin('GET /readyz')).body.includes('"usable":true'),
    )
  const logged = (gate: KeptGate, message: string, id: string): number =>
    gate.main
      .stdout()
      .split('\n')
      .filter((line) => line.includes(`"${message}"`) && line.includes(id)).length

  test('goes on at the other at once, with its first segment', async () => {
    for (let n = 0; n < 20; n++) {
      const one = viewer(`at-once-${n}`)
      const { sessionId } = await one.open(site.one)
      const { status, sessionId: same } = await one.on(site.other)
      assert.deepEqual([status, same], [200, sessionId])
    }
  })

  test('that plays at the other does not end where it played before, and is no end for anybody', async () => {
    const one = viewer('moves')
    const { sessionId } = await one.open(site.one)
    await one.plays(site.other, GONE)
    assert.equal((await one.on(site.one)).sessionId, sessionId)
    for (const gate of [site.one, site.other]) assert.equal(logged(gate, 'session ended', sessionId), 0)
  })

  test('that was silent goes on at the other with a dead token, under the same session', async () => {
    const one = viewer('pauses')
    const { sessionId } = await one.open(site.one)
    await delay(GONE)
    const { status, reason, sessionId: same } = await one.on(site.other)
    assert.deepEqual([status, reason, same], [200, 'resumed', sessionId])
  })

  test('is adopted by both at once after a crash, as one session', async () => {
    const one = viewer('twice')
    const { sessionId } = await one.open(site.one)
    await site.one.restart('SIGKILL')
    const both = await Promise.all([
      one.on(site.one),
      one.on(site.other),
      one.on(site.one),
      one.on(site.other),
    ])
    assert.deepEqual(
      both.map(({ status, sessionId: id }) => [status, id]),
      Array.from(both, () => [200, sessionId]),
    )
  })

  for (const how of ['by its id', 'by its user'] as const)
    test(`that is closed ${how} while its gate is cut off ends there when that is over`, async (t) => {
      t.after(() => site.proxy.heal())
      const user = `closed-${how.replaceAll(' ', '-')}`
      const one = viewer(user)
      const { sessionId } = await one.open(site.one)
      assert.equal((await one.on(site.other)).status, 200)
      site.proxy.cut()
      await untilNoticed()
      const what = how === 'by its id' ? `/sessions/${sessionId}` : `/sessions?user=${user}`
      const { status } = await site.other.admin(`DELETE ${what}`)
      assert.ok(status < 300, `${status}`)
      assert.equal((await one.on(site.other)).status, 403)
      assert.equal((await one.on(site.one)).status, 200, 'it cannot know yet')
      site.proxy.heal()
      await untilBack()
      await until('it ends', async () => (await one.on(site.one)).status === 403, IDLE)
      assert.equal((await one.on(site.other)).status, 403)
    })

  test('that a gate has closed while it was cut off ends at the other when that is over', async (t) => {
    t.after(() => site.proxy.heal())
    const one = viewer('closed-here')
    const { sessionId } = await one.open(site.one)
    assert.equal((await one.on(site.other)).status, 200)
    site.proxy.cut()
    await untilNoticed()
    await site.one.admin(`DELETE /sessions/${sessionId}`)
    await one.plays(site.other, 1_000)
    site.proxy.heal()
    await untilBack()
    await until('it ends', async () => (await one.on(site.other)).status === 403, IDLE)
    assert.equal((await one.on(site.one)).status, 403)
  })

  test('that went silent at a gate that was cut off plays on at the other when that is over', async (t) => {
    t.after(() => site.proxy.heal())
    const one = viewer('old-news')
    const { sessionId } = await one.open(site.one)
    assert.equal((await one.on(site.other)).status, 200)
    site.proxy.cut()
    await untilNoticed()
    await one.plays(site.other, GONE)
    site.proxy.heal()
    await untilBack()
    await one.plays(site.other, IDLE)
    assert.equal((await one.on(site.one)).sessionId, sessionId)
    assert.equal(logged(site.other, 'session ended', sessionId), 0)
  })
})
