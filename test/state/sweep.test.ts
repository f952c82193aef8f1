import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  type PretendGateOptions,
  settled,
} from '../support/pretend-gate.ts'
import { facts, opener, rider } from '../support/pretend-viewer.ts'

const MINUTE = 60_000
const ministra: PretendGateOptions = { store: true, lifetimes: { allow: 'session' } }

async function wait(gate: PretendGate, milliseconds: number): Promise<void> {
  gate.pass(milliseconds)
  await settled()
  gate.pass(100)
  await settled()
}

/** One pass through the whole store. */
async function sweep(gate: PretendGate): Promise<void> {
  let isDone = false
  const done = gate.stored.sweep().then(() => {
    isDone = true
  })
  for (await settled(); !isDone; await settled()) gate.pass(20)
  await done
  await wait(gate, 0)
}

/** Viewers by their number. */
const addressOf = (viewer: number): string => `10.0.${viewer >> 8}.${viewer & 255}`

/** A gate in which so many viewers have played one film each, a minute apart; they are silent. */
async function withSilent(viewers: number, options: PretendGateOptions): Promise<PretendGate> {
  const gate = createPretendGate(options)
  gate.answers(() => allow('36000'))
  for (let viewer = 0; viewer < viewers; viewer++) {
    await gate.decide({ ...opener, address: addressOf(viewer) })
    await wait(gate, MINUTE)
  }
  await wait(gate, 3 * MINUTE)
  assert.equal(gate.sessions.count(), 0)
  gate.answers(() => deny())
  return gate
}

describe('a session of an earlier process that went silent', () => {
  test('is told as ended once, with its part, whatever process looks; and may still go on', async () => {
    const gate = createPretendGate(ministra)
    gate.answers(() => allow('36000'))
    const { sessionId: id } = await gate.decide(opener)
    await wait(gate, 1_000)
    await gate.crash()
    gate.answers(() => deny())
    await wait(gate, 3 * MINUTE)
    await sweep(gate)
    const expected = [`opened ${id} 1`, `ended ${id} 1 idle`]
    assert.deepEqual(gate.events, expected)
    await sweep(gate)
    await gate.crash()
    await sweep(gate)
    assert.deepEqual(gate.events, expected)
    assert.equal(facts(await gate.decide(rider)), 'allow session resumed')
    assert.deepEqual(gate.events, [...expected, `opened ${id} 2`])
  })

  test('is not told before it is silent, nor while it plays here', async () => {
    const gate = createPretendGate(ministra)
    gate.answers(() => allow('36000'))
    await gate.decide(opener)
    await wait(gate, 1_000)
    await gate.crash()
    await wait(gate, MINUTE)
    await sweep(gate)
    assert.equal(facts(await gate.decide(rider)), 'allow session adopted')
    for (let minute = 0; minute < 5; minute++) {
      await wait(gate, MINUTE)
      await sweep(gate)
      assert.equal(facts(await gate.decide(rider)), 'allow session riding')
    }
    assert.ok(!gate.events.some((event) => event.startsWith('ended')))
  })

  test('is told by the passes that the process makes every two minutes', async () => {
    const gate = createPretendGate(ministra)
    gate.answers(() => allow('36000'))
    await gate.decide(opener)
    await wait(gate, 1_000)
    await gate.crash()
    for (let minute = 0; minute < 5; minute++) await wait(gate, MINUTE)
    assert.equal(gate.events.filter((event) => event.startsWith('ended')).length, 1)
  })
})

describe('a pass', () => {
  test('removes what nobody may resume', async () => {
    const gate = createPretendGate(ministra)
    gate.answers(({ path }) => allow(path.startsWith('/short') ? '600' : '36000'))
    await gate.decide(clientRequest('/short/index.m3u8?token=1'))
    await gate.decide(clientRequest('/long/index.m3u8?token=2'))
    for (const film of [1, 2, 3, 4]) await gate.decide(clientRequest(`/${film}.mp4?token=X`))
    await wait(gate, 3 * MINUTE)
    await sweep(gate)
    assert.equal(gate.place.ids().length, 5, 'of four films with one credential the latest three')
    await wait(gate, 8 * MINUTE)
    await sweep(gate)
    assert.equal(gate.place.ids().length, 4)
    await wait(gate, 600 * MINUTE)
    await sweep(gate)
    assert.deepEqual(gate.place.ids(), [])
  })

  test('counts bytes, and sees each of many slices', async () => {
    const gate = createPretendGate(ministra)
    gate.answers(() => allow('36000'))
    for (let viewer = 0; viewer < 700; viewer++) await gate.decide({ ...opener, address: addressOf(viewer) })
    await wait(gate, 3 * MINUTE)
    await sweep(gate)
    const perSession = gate.stored.bytes() / 700
    assert.ok(perSession > 200 && perSession < 1_000, `${perSession}`)
    assert.equal(gate.place.ids().length, 700)
  })

  test('keeps within STATE_MAX: the longest silent go', async () => {
    const all = await withSilent(20, ministra)
    await sweep(all)
    const each = all.stored.bytes() / 20
    const gate = await withSilent(20, { ...ministra, stateMax: each * 10.5 })
    await sweep(gate)
    assert.ok(gate.stored.bytes() <= each * 10.5)
    assert.equal(gate.place.ids().length, 9, 'with a tenth to spare')
    assert.equal(facts(await gate.decide({ ...opener, address: addressOf(19) })), 'allow session resumed')
    assert.equal(facts(await gate.decide({ ...opener, address: addressOf(5) })), 'deny backend backend-403')
  })

  test('keeps within STATE_MAX: those that were left go before those that were not', async () => {
    const play = async (stateMax: number): Promise<PretendGate> => {
      const gate = createPretendGate({ ...ministra, stateMax })
      gate.answers(() => allow('36000'))
      await gate.decide(opener)
      await wait(gate, MINUTE)
      const zapper = { address: '192.0.2.50' }
      await gate.decide(clientRequest('/live/ch1/index.m3u8?token=X', zapper))
      await wait(gate, MINUTE)
      await gate.decide(clientRequest('/live/ch2/index.m3u8?token=X', zapper))
      await wait(gate, 2.5 * MINUTE)
      gate.answers(() => deny())
      await sweep(gate)
      return gate
    }
    const all = await play(Number.POSITIVE_INFINITY)
    assert.equal(all.place.ids().length, 3)
    const gate = await play(all.stored.bytes() * 0.9)
    assert.equal(gate.place.ids().length, 2)
    assert.equal(facts(await gate.decide(opener)), 'allow session resumed', 'the longest silent')
  })

  test('removes nothing that plays, however much there is', async () => {
    const gate = createPretendGate({ ...ministra, stateMax: 1 })
    gate.answers(() => allow('36000'))
    for (let viewer = 0; viewer < 10; viewer++) await gate.decide({ ...opener, address: addressOf(viewer) })
    await wait(gate, 1_000)
    await sweep(gate)
    assert.equal(gate.place.ids().length, 10)
    await gate.crash()
    await sweep(gate)
    gate.answers(() => deny())
    for (let viewer = 0; viewer < 10; viewer++)
      assert.equal(
        facts(await gate.decide({ ...rider, address: addressOf(viewer) })),
        'allow session adopted',
      )
  })

  test('that the store breaks off changes nothing, and the next one goes through', async () => {
    const gate = createPretendGate({ ...ministra, stateMax: 1 })
    gate.answers(() => allow('36000'))
    for (let viewer = 0; viewer < 3; viewer++) await gate.decide({ ...opener, address: addressOf(viewer) })
    gate.place.fails('failed', ['slice'])
    await wait(gate, 3 * MINUTE)
    await wait(gate, MINUTE)
    await sweep(gate)
    assert.equal(gate.place.ids().length, 3)
    gate.place.fails(undefined)
    // It is opened again in 10 seconds at the latest.
    await wait(gate, 10_000)
    await sweep(gate)
    assert.deepEqual(gate.place.ids(), [])
  })
})
