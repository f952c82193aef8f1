import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { allow, clientRequest, deny, tokens, unavailable } from '../support/pretend-gate.ts'
import { createPretendMachine, type PretendMachine, type PretendProcess } from '../support/pretend-machine.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const playlist = clientRequest('/live/one/index.m3u8?token=X')
const segment = clientRequest('/live/one/1.ts')
const lifetimes = { resume: 'backend' as const }

async function begin(
  scope: Scope,
): Promise<{ machine: PretendMachine; gate: PretendProcess; sessionId: string }> {
  const machine = createPretendMachine(scope)
  const gate = await machine.start({ lifetimes })
  const { sessionId } = await gate.decide(playlist)
  await gate.written()
  return { machine, gate, sessionId }
}

describe('what has ended never comes back', () => {
  for (const when of ['while it plays', 'after a pause'] as const)
    test(`a re-check is denied ${when}, and the gate is killed at once`, async (t) => {
      const { machine, gate } = await begin(t)
      gate.answers(() => deny())
      await gate.pass(when === 'while it plays' ? 70 * SECOND : 10 * MINUTE)
      const first = gate.decide(segment)
      const isKnown = (): boolean =>
        gate.made.some(({ occasion, decision }) => occasion !== 'question' && decision.verdict === 'deny')
      await until('the deny to be known', () => isKnown())
      await gate.kill()
      await first

      const next = await machine.start({ lifetimes })
      next.answers(() => deny())
      for (const request of [segment, playlist]) assert.equal((await next.decide(request)).verdict, 'deny')
      assert.equal(next.asked.length, 2)
    })

  test('a deny is told when its end is written, or when the store is late', async (t) => {
    for (const isLate of [false, true]) {
      const machine = createPretendMachine(t)
      let letGo = (): void => {}
      const held = new Promise<void>((resolve) => {
        letGo = resolve
      })
      const gate = await machine.start({
        lifetimes,
        behind: (engine) => ({
          ...engine,
          async end(endings) {
            if (endings.length > 0) await held
            return engine.end(endings)
          },
        }),
      })
      await gate.decide(playlist)
      await gate.written()
      gate.answers(() => deny())
      await gate.pass(70 * SECOND)
      await gate.decide(segment)
      const isTold = (): boolean => gate.made.some(({ decision }) => decision.verdict === 'deny')
      for (let turn = 0; turn < 20; turn++) await setImmediate()
      assert.equal(gate.asked.length, 2)
      assert.ok(!isTold(), 'it was told before it was written')
      if (isLate) await gate.pass(100)
      else letGo()
      await until('the deny to be told', isTold)
      letGo()
    }
  })

  test('a session of the default action is in the store only once a backend has allowed it', async (t) => {
    const machine = createPretendMachine(t)
    const options = { lifetimes, defaultAction: 'allow' as const }
    const gate = await machine.start(options)
    gate.answers(() => unavailable())
    assert.equal((await gate.decide(playlist)).source, 'default')
    await gate.written()
    await gate.stop()

    const second = await machine.start(options)
    second.answers(() => unavailable())
    const again = await second.decide(playlist)
    assert.equal(again.source, 'default')
    await second.written()
    second.answers(() => allow())
    await second.pass(3 * SECOND)
    await second.decide(playlist)
    await until('the re-check', () => second.provisional.count() === 0)
    await second.written()
    await second.kill()

    const third = await machine.start(options)
    third.answers(() => deny())
    const adopted = await third.decide(segment)
    assert.deepEqual([adopted.reason, adopted.sessionId], ['adopted', again.sessionId])
    assert.deepEqual(third.asked, [])
  })

  test('a session that plays and whose backend is away counts STALE_TTL on, across restarts', async (t) => {
    const { machine, gate, sessionId } = await begin(t)
    gate.answers(() => unavailable())
    let running = gate
    // Its term of a minute, and an hour of STALE_TTL: asked for every minute, under two other gates.
    for (let minute = 1; minute <= 60; minute++) {
      await running.pass(MINUTE)
      const { verdict, sessionId: id } = await running.decide(segment)
      assert.deepEqual([verdict, id], ['allow', sessionId], `minute ${minute}`)
      await setImmediate()
      if (minute % 20 !== 0) continue
      await running.written()
      await running[minute % 40 === 0 ? 'stop' : 'kill']()
      running = await machine.start({ lifetimes })
      running.answers(() => unavailable())
    }
    await running.pass(2 * MINUTE)
    await running.decide(segment)
    await setImmediate()
    assert.equal((await running.decide(segment)).verdict, 'deny')
  })

  test('an adopted session is due when it would have been', async (t) => {
    const { machine, gate } = await begin(t)
    await gate.pass(30 * SECOND)
    await gate.kill()
    machine.pass(10 * SECOND)
    const next = await machine.start({ lifetimes })
    next.answers(tokens('X'))
    assert.equal((await next.decide(segment)).reason, 'adopted')
    await next.pass(10 * SECOND)
    await next.decide(segment)
    assert.equal(next.asked.length, 0, 'a minute is not over')
    await next.pass(15 * SECOND)
    await next.decide(segment)
    assert.equal(next.asked.length, 1)
  })
})

describe('times across a restart', () => {
  test('a wall clock that was set back shortens no age, and makes nothing immortal', async (t) => {
    const { machine, gate, sessionId } = await begin(t)
    await gate.stop()
    machine.pass(30 * SECOND)
    machine.place.wallNow -= 365 * 24 * 60 * MINUTE
    const next = await machine.start({ lifetimes })
    const adopted = await next.decide(segment)
    assert.deepEqual([adopted.verdict, adopted.sessionId], ['allow', sessionId])
    await next.written()
    await next.kill()
    machine.pass(16 * MINUTE)
    const last = await machine.start({ lifetimes })
    last.answers(() => deny())
    assert.equal((await last.decide(segment)).verdict, 'deny', 'not immortal either')
  })

  test('one that was set ahead counts as time that has passed', async (t) => {
    for (const [jump, verdict] of [
      [10 * MINUTE, 'allow'],
      [365 * 24 * 60 * MINUTE, 'deny'],
    ] as const) {
      const { machine, gate } = await begin(t)
      await gate.stop()
      machine.place.wallNow += jump
      const next = await machine.start({ lifetimes: { ...lifetimes, allow: 'session' } })
      next.answers(() => (verdict === 'allow' ? unavailable() : deny()))
      assert.equal((await next.decide(segment)).verdict, verdict)
    }
  })
})
