import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StoreClock } from '../../src/state/kept.ts'
import { createStoreLink, type StoreLink } from '../../src/state/store-link.ts'
import { createWriteBehind, type WriteBehind } from '../../src/state/write-behind.ts'
import { makeKept } from '../support/make-kept.ts'
import { createMemoryPlace, type MemoryPlace } from '../support/memory-store.ts'
import { createPretendTime, type PretendTime } from '../support/pretend-time.ts'

interface Writing {
  readonly time: PretendTime
  readonly place: MemoryPlace
  readonly link: StoreLink
  readonly written: WriteBehind
  /** What the store was told, oldest first. */
  told(): string[]
}

async function started(): Promise<Writing> {
  const time = createPretendTime()
  const place = createMemoryPlace(time.clock)
  const { clock: now, after } = time
  const store = place.create()
  const link = createStoreLink({
    ...{ store, after, clock: now },
    prepare: async () => {},
    onOpened: () => void written.flush(),
    onChange() {},
    onSetAside() {},
    onCommand() {},
  })
  const clock: StoreClock = { now, offset: store.now() }
  const written = createWriteBehind({ link, clock, idle: 120_000, after })
  await link.start(0)
  const told = (): string[] => place.calls.filter((call) => /^(write|remove|mark) /.test(call))
  return { time, place, link, written, told }
}

const viewer = makeKept('').session.viewer
const idsIn = (call: string | undefined): string[] => (call ?? '').split(' ').slice(1)

describe('what has changed', () => {
  test('is written within 100 ms, as one batch, each session once in its last state', async () => {
    const { time, written, told } = await started()
    const a = makeKept('a')
    written.changed(a)
    await time.pass(60)
    a.session.requests = 7
    written.changed(a)
    written.changed(makeKept('b'))
    await time.pass(39)
    assert.deepEqual(told(), [])
    await time.pass(1)
    assert.deepEqual(told(), ['write a b'])
    assert.equal(written.waiting(), 0)
  })

  test('is written in batches of 500, one after another', async () => {
    const { time, written, told } = await started()
    for (let n = 0; n < 1_200; n++) written.changed(makeKept(`s${n}`))
    await time.pass(100)
    assert.deepEqual(
      told().map((call) => idsIn(call).length),
      [500, 500, 200],
    )
  })

  test('while it is written is written again', async () => {
    const { time, place, written, told } = await started()
    const a = makeKept('a')
    written.changed(a)
    const release = place.hold()
    await time.pass(100)
    written.changed(a)
    await time.pass(100)
    await release()
    await time.pass(100)
    assert.deepEqual(told(), ['write a', 'write a'])
  })

  test('waits while the store is away, and is written when it is back', async () => {
    const { time, place, written, told } = await started()
    place.fails('full')
    written.changed(makeKept('a'))
    written.changed(makeKept('b', undefined, { silent: true }))
    await time.pass(100)
    written.changed(makeKept('c'))
    assert.equal(written.waiting(), 3)
    assert.deepEqual(
      [...written.silentOf(viewer)].map(({ session }) => session.id),
      ['b'],
    )
    place.fails(undefined)
    await time.pass(1_100)
    assert.deepEqual(idsIn(told().at(-1)).sort(), ['a', 'b', 'c'])
    assert.equal(written.waiting(), 0)
    assert.deepEqual([...written.silentOf(viewer)], [])
  })

  test('is known until it is written, also while it is on its way', async () => {
    const { time, place, written } = await started()
    const a = makeKept('a', undefined, { silent: true })
    written.changed(a)
    assert.equal(written.unwritten(a.session), a)
    const release = place.hold()
    await time.pass(100)
    assert.equal(written.unwritten(a.session), a)
    await release()
    await time.pass(1)
    assert.equal(written.unwritten(a.session), undefined)
  })
})

describe('what waits while the store is away', () => {
  test('is bounded: 64 MB of silent sessions, the longest waiting go first', async () => {
    const { time, place, written } = await started()
    place.fails('failed')
    written.changed(makeKept('first'))
    await time.pass(100)
    const megabyte = 'x'.repeat(1_000_000)
    for (let n = 0; n < 100; n++)
      written.changed(makeKept(`s${n}`, `/${n}?${megabyte}`, { silent: true, address: `192.0.2.${n}` }))
    assert.ok(written.waiting() > 20 && written.waiting() < 70, `${written.waiting()}`)
    const { session } = makeKept('s99', undefined, { address: '192.0.2.99' })
    assert.ok(written.unwritten(session) !== undefined)
    assert.equal(written.unwritten({ id: 's0', viewer: session.viewer }), undefined)
    assert.ok(written.unwritten({ id: 'first', viewer }) !== undefined, 'who plays is in a table')
  })

  test('is bounded: 200,000 ends', async () => {
    const { place, time, written, link } = await started()
    place.fails('failed')
    written.changed(makeKept('a'))
    await time.pass(100)
    assert.equal(link.state().usable, false)
    for (let n = 0; n < 200_010; n++) void written.remove({ id: `s${n}`, viewer })
    assert.equal(written.waiting(), 200_001)
    assert.ok(written.isRemoved('s200009') && !written.isRemoved('s9'))
  })
})

describe('the end of a session', () => {
  test('is written at once, and says when', async () => {
    const { written, told } = await started()
    written.changed(makeKept('a'))
    assert.equal(await written.remove({ id: 'a', viewer }), 'written')
    assert.deepEqual(told(), ['remove a'])
    assert.equal(written.waiting(), 0, 'its last state is not written any more')
  })

  test('comes after a record of it that is on its way', async () => {
    const { time, place, written, told } = await started()
    written.changed(makeKept('a'))
    const release = place.hold()
    await time.pass(100)
    const removed = written.remove({ id: 'a', viewer })
    await release()
    assert.equal(await removed, 'written')
    assert.deepEqual(told(), ['write a', 'remove a'])
    assert.deepEqual(place.ids(), [])
  })

  test('is final: no later change of the session is written, nor one that failed before', async () => {
    const { time, place, written, told } = await started()
    const a = makeKept('a', undefined, { silent: true })
    written.changed(a)
    const release = place.hold()
    await time.pass(100)
    const removed = written.remove({ id: 'a', viewer })
    place.fails('full', ['write'])
    await release()
    assert.equal(await removed, 'waiting')
    assert.deepEqual([...written.silentOf(viewer)], [])
    place.fails(undefined)
    written.changed(a)
    await time.pass(1_000)
    assert.deepEqual(told(), ['write a', 'remove a'])
    written.changed(a)
    await time.pass(59_000)
    assert.ok(written.isRemoved('a'))
    assert.deepEqual(told(), ['write a', 'remove a'])
  })

  test('that cannot be written says so, is known here, and is written later', async () => {
    const { time, place, written, told } = await started()
    place.fails('failed')
    assert.equal(await written.remove({ id: 'a', viewer }), 'waiting')
    assert.ok(written.isRemoved('a'))
    place.fails(undefined)
    await time.pass(1_000)
    assert.deepEqual(told(), ['remove a', 'remove a'])
    assert.equal(written.waiting(), 0)
    assert.ok(written.isRemoved('a'), 'an older record may be on its way to a viewer')
    await time.pass(120_000)
    assert.equal(written.isRemoved('a'), false)
    assert.equal(time.set(), 0)
  })

  test('of many at once goes in batches, before anything else', async () => {
    const { time, place, written, told } = await started()
    written.changed(makeKept('z'))
    const release = place.hold()
    const all = Array.from({ length: 1_200 }, (_, n) => written.remove({ id: `s${n}`, viewer }))
    await time.pass(100)
    await release()
    assert.ok((await Promise.all(all)).every(Boolean))
    assert.deepEqual(
      told().map((call) => `${call.split(' ')[0]} ${idsIn(call).length}`),
      ['remove 1', 'remove 500', 'remove 500', 'remove 199', 'write 1'],
    )
  })
})

test('a mark is written at once, and before records that wait', async () => {
  const { written, told } = await started()
  written.changed(makeKept('a'))
  assert.equal(await written.mark({ filter: { user: 'anna' }, at: 1, until: 2 }), true)
  assert.deepEqual(told(), ['mark {"user":"anna"}', 'write a'])
})
