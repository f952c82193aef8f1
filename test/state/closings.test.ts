import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SessionFilter } from '../../src/admin/sessions-desk.ts'
import {
  allow,
  createPretendGate,
  deny,
  type PretendGate,
  type PretendGateOptions,
  settled,
} from '../support/pretend-gate.ts'
import { facts, opener, rider } from '../support/pretend-viewer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ministra: PretendGateOptions = { store: true, lifetimes: { allow: 'session' } }

async function wait(gate: PretendGate, milliseconds: number): Promise<void> {
  gate.pass(milliseconds)
  await settled()
  gate.pass(100)
  await settled()
}

/** Anna has a session, silent or playing, and dead tokens from then on. */
async function anna(isSilent: boolean): Promise<{ gate: PretendGate; id: string }> {
  const gate = createPretendGate(ministra)
  gate.answers(() => ({
    kind: 'allow',
    backend: 'pretend',
    grant: { userId: 'anna', authDuration: '36000' },
  }))
  const { sessionId: id } = await gate.decide(opener)
  await wait(gate, isSilent ? 2 * MINUTE + 1 : 1_000)
  gate.answers(() => deny())
  return { gate, id }
}

/** As the operator's side closes by a filter: a mark first. */
async function closeAll(gate: PretendGate, filter: SessionFilter): Promise<boolean> {
  const isWritten = await gate.stored.mark(filter)
  for (const session of [...gate.sessions.all()]) {
    if ((filter.user ?? session.userId) !== session.userId) continue
    void gate.stored.remove(session, { why: 'closed' })
    gate.sessions.end(session, 'closed')
  }
  return isWritten
}

const filters: readonly SessionFilter[] = [
  {},
  { user: 'anna' },
  { address: opener.address },
  { channel: opener.path },
  { user: 'anna', address: opener.address, channel: opener.path },
]

describe('closing by a filter', () => {
  for (const filter of filters) {
    test(`reaches silent ones and those of an earlier process: ${JSON.stringify(filter)}`, async () => {
      for (const [isSilent, how] of [
        [true, 'stay'],
        [true, 'restart'],
        [false, 'crash'],
      ] as const) {
        const { gate } = await anna(isSilent)
        if (how !== 'stay') await gate[how]()
        assert.equal(await gate.stored.mark(filter), true)
        assert.equal(facts(await gate.decide(opener)), 'deny backend backend-403')
        await gate.crash()
        assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403', how)
        await wait(gate, 9 * HOUR)
        await gate.restart()
        assert.equal(facts(await gate.decide(opener)), 'deny backend backend-403', how)
      }
    })
  }

  test('reaches those that play, and they do not come back after a crash', async () => {
    const { gate } = await anna(false)
    await closeAll(gate, { user: 'anna' })
    await gate.crash()
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('does not reach others, nor what is opened after it', async () => {
    for (const filter of [
      { user: 'bert' },
      { address: '192.0.2.77' },
      { user: 'anna', address: '192.0.2.77' },
    ]) {
      const { gate } = await anna(true)
      await gate.stored.mark(filter)
      assert.equal(facts(await gate.decide(rider)), 'allow session resumed')
    }
    const { gate } = await anna(true)
    await gate.stored.mark({})
    gate.answers(() => allow('36000'))
    gate.pass(1)
    await gate.decide(opener)
    gate.answers(() => deny())
    await wait(gate, 2 * MINUTE + 1)
    await gate.restart()
    assert.equal(facts(await gate.decide(rider)), 'allow session resumed')
  })

  test('counts before the store is open, and is written then', async () => {
    const { gate } = await anna(true)
    gate.place.fails('in-use', ['open'])
    await gate.restart()
    assert.equal(await gate.stored.mark({ user: 'anna' }), false)
    gate.place.fails(undefined)
    await wait(gate, 1_000)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    await gate.crash()
    gate.pass(5_500)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('counts while the store is away, says so, and is written when it is back', async () => {
    const { gate } = await anna(true)
    gate.place.fails('full', ['mark'])
    assert.equal(await gate.stored.mark({ user: 'anna' }), false)
    gate.place.fails(undefined)
    await wait(gate, 1_000)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    await gate.crash()
    gate.pass(5_500)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('counts also after the store was damaged, set aside and begun anew', async () => {
    const { gate } = await anna(true)
    await gate.stored.mark({ user: 'anna' })
    gate.place.damage()
    gate.place.fails('damaged', ['recall'])
    await gate.decide(rider)
    gate.place.fails(undefined)
    await wait(gate, 1_000)
    assert.equal(gate.place.calls.filter((call) => call.startsWith('mark {')).length, 2)
  })
})

describe('closing by id', () => {
  for (const how of ['stay', 'restart', 'crash'] as const) {
    test(`reaches a silent one, for good; ${how}`, async () => {
      const { gate, id } = await anna(true)
      if (how !== 'stay') await gate[how]()
      assert.equal(await gate.stored.removeStored({ id: 'unknown' }), 0)
      assert.equal(await gate.stored.removeStored({ id }), 1)
      assert.equal(facts(await gate.decide(opener)), 'deny backend backend-403')
      assert.deepEqual(gate.place.ids(), [])
    })
  }

  test('reaches one of an earlier process that plays and that nobody has adopted yet', async () => {
    const { gate, id } = await anna(false)
    await gate.crash()
    assert.equal(await gate.stored.removeStored({ id }), 1)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('ends it also for who has just looked', async () => {
    const { gate, id } = await anna(false)
    await gate.crash()
    const recalled = await gate.stored.recall(gate.identify(opener))
    const [one] = recalled?.playing ?? []
    assert.ok(one !== undefined)
    await gate.stored.removeStored({ id })
    assert.equal(gate.stored.take(one, 'adopted'), false)
    await wait(gate, 30_000)
    assert.equal(gate.stored.take(one, 'adopted'), false)
  })

  test('says that the store could not be searched', async () => {
    const { gate, id } = await anna(true)
    gate.place.fails('failed', ['slice'])
    assert.equal(await gate.stored.removeStored({ id }), undefined)
  })

  test('says that it is not written yet, and holds nevertheless', async () => {
    const { gate, id } = await anna(true)
    gate.place.fails('full', ['remove'])
    assert.equal(await gate.stored.removeStored({ id }), undefined)
    gate.place.fails(undefined)
    await wait(gate, 1_000)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    assert.deepEqual(gate.place.ids(), [])
  })
})
