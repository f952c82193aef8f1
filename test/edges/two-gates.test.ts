import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { GateAnswer } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startCutOff } from '../support/cut-off.ts'
import { edgeSettings } from '../support/edges.ts'
import { type KeptGate, startKeptGate } from '../support/kept-gate.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { patientTest } from '../support/patient-test.ts'
import { rounds } from '../support/rounds.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { portOf, startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

/** SESSION_IDLE and ALLOW_TTL, and when a silent session has surely left a table; milliseconds. */
const IDLE = 3_000
const ALLOW = 2_000
const GONE = IDLE + 6_000
const SEGMENT = '/live/one/1.ts'
const EXACT_ROUNDS = rounds(8, 200)
const OPENINGS = 16

describe('two gates on one Valkey', () => {
  const site = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    const tokens = createOneTimeTokens()
    /** Questions about a token that the backend allows again and again, for a short time each. */
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
      // A busy machine is no store that is away.
      ...{ STATE_TIMEOUT: '1s', SESSION_IDLE: `${IDLE / 1_000}s`, ALLOW_TTL: `${ALLOW / 1_000}s` },
    }
    const [one, other] = await Promise.all([
      startKeptGate(scope, { ...settings, ...storeOf(valkey, { port: proxy.port }) }),
      startKeptGate(scope, { ...settings, ...storeOf(valkey) }),
    ])
    return { backend, tokens, valkey, proxy, one, other, rechecks: () => rechecks }
  })

  /** A player with its link; `on` asks for a segment, which has no token. */
  const viewer = (name: string, token = site.tokens.issue(name)) => {
    const ask = (gate: KeptGate, uri: string): Promise<GateAnswer> => gate.ask({ uri, userAgent: name })
    return {
      open: (gate: KeptGate) => ask(gate, `/live/one/index.m3u8?token=${token}`),
      /** As `open`, and the store has it: on a busy machine that takes longer than the next request. */
      async settles(gate: KeptGate): Promise<GateAnswer> {
        const answer = await ask(gate, `/live/one/index.m3u8?token=${token}`)
        await untilWritten(gate)
        return answer
      },
      on: (gate: KeptGate) => ask(gate, SEGMENT),
      async plays(gate: KeptGate, milliseconds: number): Promise<void> {
        const end = performance.now() + milliseconds
        while (performance.now() < end) {
          const { status, reason } = await ask(gate, SEGMENT)
          assert.equal(status, 200, reason)
          await delay(250)
        }
      },
    }
  }
  const untilWritten = (gate: KeptGate): Promise<void> =>
    until('nothing to wait to be written', async () =>
      (await gate.admin('GET /metrics')).body.includes('\nalta_auth_state_waiting 0\n'),
    )
  const untilUsable = (gate: KeptGate, usable: boolean): Promise<void> =>
    until(`the store to be ${usable ? 'back' : 'away'}`, async () =>
      (await gate.admin('GET /readyz')).body.includes(`"usable":${usable}`),
    )
  const untilRefused = (gate: KeptGate, one: ReturnType<typeof viewer>): Promise<void> =>
    until('it ends', async () => (await one.on(gate)).status === 403, IDLE)
  const logged = (gate: KeptGate, message: string, id: string): number =>
    gate.main
      .stdout()
      .split('\n')
      .filter((line) => line.includes(`"${message}"`) && line.includes(id)).length

  let changing = 0
  patientTest(
    'a viewer with a dead token changes gates with each request, from its first segment on',
    async () => {
      for (let n = 0; n < 5; n++) {
        const one = viewer(`changes-${++changing}`)
        const { sessionId } = await one.open(site.one)
        for (const gate of [site.other, site.one, site.other])
          assert.deepEqual(await one.on(gate).then(({ status, sessionId: id }) => [status, id]), [
            ...[200, sessionId],
          ])
        assert.equal((await one.open(site.other)).status, 200, 'the URL of its session, whose token is dead')
      }
    },
  )

  describe('that work', { concurrency: true }, () => {
    test('who plays at the other does not end where they played before, and that is no end for anybody', async () => {
      const one = viewer('moves')
      const { sessionId } = await one.settles(site.one)
      await one.plays(site.other, GONE)
      assert.equal((await one.on(site.one)).sessionId, sessionId)
      for (const gate of [site.one, site.other]) assert.equal(logged(gate, 'session ended', sessionId), 0)
    })

    test('who was silent goes on at the other with a dead token, under the same session', async () => {
      const one = viewer('pauses')
      const { sessionId } = await one.settles(site.one)
      await delay(GONE)
      const { status, reason, sessionId: same } = await one.on(site.other)
      assert.deepEqual([status, reason, same], [200, 'resumed', sessionId])
    })

    test('each gate asks about whom it serves, once when their allow has run out', async () => {
      const one = viewer('asked-again', 'again')
      const before = site.rechecks()
      await one.settles(site.one)
      const seconds = 10
      await Promise.all([one.plays(site.one, seconds * 1_000), one.plays(site.other, seconds * 1_000)])
      const asked = site.rechecks() - before
      // Each allow counts for ALLOW_TTL, or a tenth less, at each of the two.
      assert.ok(asked >= 3 && asked <= 2 * (2 + (seconds * 1_000) / (0.9 * ALLOW)), `${asked} questions`)
    })

    for (const [how, what] of [
      ['its id', (session: string) => `/sessions/${session}`],
      ['its user', (_session: string, user: string) => `/sessions?user=${user}`],
    ] as const)
      test(`what is closed at one by ${how} ends at the other`, async () => {
        const user = `closed-by-${how.replace(' ', '-')}`
        const one = viewer(user)
        const { sessionId } = await one.settles(site.one)
        assert.equal((await one.on(site.other)).status, 200)
        const { status } = await site.other.admin(`DELETE ${what(sessionId, user)}`)
        assert.ok(status < 300, `${status}`)
        await untilRefused(site.one, one)
        assert.equal((await one.on(site.other)).status, 403)
      })

    for (const name of ['tv', undefined])
      test(`host names of their own ${name === undefined ? 'keep them apart' : 'are one site where the operator says so'}`, async () => {
        const more = name === undefined ? {} : { site: name }
        const [edge1, edge2] = ['https://edge1.example.com', 'https://edge2.example.com']
        const userAgent = `player of ${name}`
        const uri = `/live/one/index.m3u8?token=${site.tokens.issue('anna')}`
        const opened = await site.one.ask({ uri, userAgent, origin: edge1, ...more })
        assert.equal(opened.status, 200)
        await untilWritten(site.one)
        const answer = await site.other.ask({ uri: SEGMENT, userAgent, origin: edge2, ...more })
        const { status, reason, sessionId } = answer
        if (name === undefined) assert.equal(status, 403)
        else assert.deepEqual([status, reason, sessionId], [200, 'adopted', opened.sessionId])
        // The backend is told the host name that the viewer has asked.
        const about = site.backend.asked.find(({ headers }) => headers['X-Real-Ua'] === userAgent)
        assert.equal(about?.headers['X-Real-Origin'], edge1)
      })

    test(`${OPENINGS} openings of one user at once leave exactly as many as are allowed, ${EXACT_ROUNDS} times`, async () => {
      for (let round = 0; round < EXACT_ROUNDS; round++) {
        const user = `user-${round}`
        const most = 1 + (round % 3)
        const boxes = Array.from({ length: OPENINGS }, (_, n) => ({
          gate: n % 2 === 0 ? site.one : site.other,
          userAgent: `${user}-${n}`,
          uri: `/live/one/index.m3u8?token=${site.tokens.issue(user, most)}`,
        }))
        const opened = await Promise.all(boxes.map(({ gate, ...question }) => gate.ask(question)))
        // Who is displaced before their own answer is on its way gets no other one.
        for (const { status, reason } of opened)
          assert.ok(status === 200 || reason === 'session-limit', reason)
        const playing = async (): Promise<number> => {
          const answers = await Promise.all(
            boxes.map(({ gate, userAgent }) => gate.ask({ uri: SEGMENT, userAgent })),
          )
          return answers.filter(({ status }) => status === 200).length
        }
        // Who is displaced by the other gate hears of it a moment later.
        let count = await playing()
        for (let tries = 0; count !== most && tries < 50; tries++) {
          await delay(20)
          count = await playing()
        }
        assert.equal(count, most, user)
        assert.equal(await playing(), most, user)
      }
    })
  })

  describe('of which one has trouble', () => {
    test('a crash: the viewer is adopted by both at once, as one session', async () => {
      const one = viewer('twice')
      const { sessionId } = await one.open(site.one)
      await site.one.restart('SIGKILL')
      const gates = [site.one, site.other, site.one, site.other]
      const answers = await Promise.all(gates.map((gate) => one.on(gate)))
      assert.deepEqual(
        answers.map(({ status, sessionId: id }) => [status, id]),
        gates.map(() => [200, sessionId]),
      )
      await untilUsable(site.one, true)
    })

    test('what is closed at the other while it is cut off ends there when that is over', async (t) => {
      t.after(() => site.proxy.heal())
      const one = viewer('closed-there')
      const { sessionId } = await one.open(site.one)
      assert.equal((await one.on(site.other)).status, 200)
      site.proxy.cut()
      await untilUsable(site.one, false)
      assert.ok((await site.other.admin(`DELETE /sessions/${sessionId}`)).status < 300)
      assert.equal((await one.on(site.other)).status, 403)
      assert.equal((await one.on(site.one)).status, 200, 'it cannot know yet')
      site.proxy.heal()
      await untilUsable(site.one, true)
      await untilRefused(site.one, one)
      assert.equal((await one.on(site.other)).status, 403)
    })

    test('what it closes while it is cut off ends at the other when that is over', async (t) => {
      t.after(() => site.proxy.heal())
      const one = viewer('closed-here')
      const { sessionId } = await one.open(site.one)
      assert.equal((await one.on(site.other)).status, 200)
      site.proxy.cut()
      await untilUsable(site.one, false)
      await site.one.admin(`DELETE /sessions/${sessionId}`)
      await one.plays(site.other, 1_000)
      site.proxy.heal()
      await untilUsable(site.one, true)
      await untilRefused(site.other, one)
      assert.equal((await one.on(site.one)).status, 403)
    })

    test('who went silent at a gate that is cut off plays on at the other when that is over', async (t) => {
      t.after(() => site.proxy.heal())
      const one = viewer('old-news')
      const { sessionId } = await one.open(site.one)
      assert.equal((await one.on(site.other)).status, 200)
      site.proxy.cut()
      await untilUsable(site.one, false)
      await one.plays(site.other, GONE)
      site.proxy.heal()
      await untilUsable(site.one, true)
      await one.plays(site.other, IDLE)
      assert.equal((await one.on(site.one)).sessionId, sessionId)
      assert.equal(logged(site.other, 'session ended', sessionId), 0)
    })

    test('Valkey is killed and comes back empty: who plays is not cut, new ones are let in, both share again', async () => {
      const [playing, fresh] = [viewer('playing'), viewer('fresh')]
      const { sessionId } = await playing.open(site.one)
      await site.valkey.kill()
      await untilUsable(site.one, false)
      assert.equal((await playing.on(site.one)).status, 200)
      assert.equal((await fresh.open(site.other)).status, 200)
      await site.valkey.restart()
      for (const gate of [site.one, site.other]) await untilUsable(gate, true)
      await playing.plays(site.one, IDLE / 2)
      await until(
        'it is told again',
        async () => (await playing.on(site.other)).sessionId === sessionId,
        IDLE,
      )
    })
  })
})
