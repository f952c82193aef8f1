import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CloseMark } from '../../src/state/close-mark.ts'
import { type RecordStore, StoreError, type Write } from '../../src/state/record-store.ts'
import type { Scope } from '../support/scope.ts'
import { makeRecord, makeWrite } from './records.ts'

/** How a kind of store is made for a test. What it needs ends with the scope. */
export interface StoreKind {
  /** How many of its tests may run at once. */
  readonly concurrency?: number
  /** An empty place, in which one store after another is opened. */
  place(scope: Scope): Promise<StorePlace>
}

export interface StorePlace {
  /** A store that is not open, as a new process makes it. */
  create(configuration?: string): RecordStore
  /** Lets so many milliseconds of store time pass. */
  pass(milliseconds: number): Promise<void>
}

/** What holds for each kind of store. */
export function describeConformance(name: string, kind: StoreKind): void {
  const opened = async (scope: Scope): Promise<{ place: StorePlace; store: RecordStore }> => {
    const place = await kind.place(scope)
    const store = place.create()
    scope.after(() => store.close())
    assert.equal(await store.open(), undefined)
    return { place, store }
  }
  const reopen = async (
    scope: Scope,
    place: StorePlace,
    store: RecordStore,
    configuration?: string,
  ): Promise<RecordStore> => {
    await store.close()
    const next = place.create(configuration)
    scope.after(() => next.close())
    assert.equal(await next.open(), undefined)
    return next
  }
  const viewer = makeRecord().viewer
  const idsOf = async (store: RecordStore): Promise<string[]> =>
    sorted(await store.recall(viewer)).map(({ id }) => id)

  describe(name, { concurrency: kind.concurrency ?? 1 }, () => {
    test('nothing is known of a viewer who was never written', async (t) => {
      const { store } = await opened(t)
      assert.deepEqual(await store.recall(viewer), [])
    })

    test('a record is recalled as it was written, by this store and by the next', async (t) => {
      const { place, store } = await opened(t)
      const records = [
        makeRecord({ id: 'a', query: 'q=ÿ\ud800 🎬&x="\\', dueAt: 5_000 }),
        makeRecord({ id: 'b', failure: { reason: 'timeout', at: 1, holdsUntil: 2 }, silent: true }),
      ]
      await store.write(records.map((record) => makeWrite(record)))
      assert.deepEqual(sorted(await store.recall(viewer)), records)
      const next = await reopen(t, place, store)
      assert.deepEqual(sorted(await next.recall(viewer)), records)
    })

    test('a write takes the place of the older one of the same session, of no other', async (t) => {
      const { store } = await opened(t)
      await store.write([makeWrite({ id: 'a' }), makeWrite({ id: 'b' })])
      await store.write([makeWrite({ id: 'a', requests: 9 })])
      const other = 'another viewer'
      await store.write([makeWrite({ id: 'a', viewer: other })])
      assert.deepEqual(
        sorted(await store.recall(viewer)).map(({ id, requests }) => [id, requests]),
        [
          ['a', 9],
          ['b', 4],
        ],
      )
      assert.equal((await store.recall(other)).length, 1)
    })

    test('of two writes of one session in a batch, the later one holds', async (t) => {
      const { store } = await opened(t)
      await store.write([makeWrite({ requests: 1 }), makeWrite({ requests: 2 })])
      assert.deepEqual(
        (await store.recall(viewer)).map(({ requests }) => requests),
        [2],
      )
    })

    test('calls that are made at once take effect in their order', async (t) => {
      const { store } = await opened(t)
      const calls: Promise<unknown>[] = []
      for (let round = 0; round < 50; round += 1) {
        calls.push(store.write([makeWrite({ id: `s${round}` }), makeWrite({ id: 'all' })]))
        calls.push(store.remove([{ viewer, id: 'all' }]))
        if (round % 2 === 0) calls.push(store.remove([{ viewer, id: `s${round}` }]))
      }
      await Promise.all(calls)
      assert.deepEqual(await idsOf(store), Array.from({ length: 25 }, (_, n) => `s${n * 2 + 1}`).sort())
    })

    test('what was removed is gone, also for the next store; the removal of nothing is none', async (t) => {
      const { place, store } = await opened(t)
      await store.write([makeWrite({ id: 'a' }), makeWrite({ id: 'b' })])
      await store.remove([
        { viewer, id: 'a' },
        { viewer, id: 'unknown' },
        { viewer: 'unknown', id: 'a' },
      ])
      assert.deepEqual(await idsOf(store), ['b'])
      assert.deepEqual(await idsOf(await reopen(t, place, store)), ['b'])
    })

    test('an expired record is unknown, and the next slice removes it', async (t) => {
      const { place, store } = await opened(t)
      const now = store.now()
      await store.write([makeWrite({ id: 'a' }, now + 10_000), makeWrite({ id: 'b' }, now + 60_000)])
      await place.pass(10_000)
      assert.deepEqual(await idsOf(store), ['b'])
      const before = await store.slice(undefined, 100)
      const after = await store.slice(undefined, 100)
      assert.deepEqual(
        before.writes.map(({ record }) => record.id),
        ['b'],
      )
      assert.ok(after.bytes <= before.bytes)
      await place.pass(50_000)
      await store.slice(undefined, 100)
      assert.deepEqual([...(await allOf(store)).writes], [])
      assert.equal((await allOf(store)).bytes, 0)
    })

    test('records of another configuration are unknown, but there again with their own', async (t) => {
      const { place, store } = await opened(t)
      await store.write([makeWrite({ id: 'a' })])
      const other = await reopen(t, place, store, 'another')
      assert.deepEqual(await other.recall(viewer), [])
      assert.deepEqual((await allOf(other)).writes, [])
      await other.write([makeWrite({ id: 'b' })])
      const again = await reopen(t, place, other)
      assert.deepEqual(await idsOf(again), ['a'])
    })

    test('records of another configuration are removed when they have expired', async (t) => {
      const { place, store } = await opened(t)
      await store.write([makeWrite({}, store.now() + 10_000)])
      const other = await reopen(t, place, store, 'another')
      await other.slice(undefined, 100)
      await place.pass(10_000)
      await allOf(other)
      assert.equal((await allOf(other)).bytes, 0)
    })

    test('slices are all records once, and never part of a viewer', async (t) => {
      const { store } = await opened(t)
      const writes: Write[] = []
      for (let n = 0; n < 60; n += 1)
        for (let m = 0; m <= n % 5; m += 1) writes.push(makeWrite({ viewer: `viewer ${n}`, id: `${n}-${m}` }))
      await store.write(writes)
      const seen = new Set<string>()
      const ids: string[] = []
      let slices = 0
      for (let from: string | undefined, more = true; more; ) {
        const slice = await store.slice(from, 10)
        for (const viewer of new Set(slice.writes.map(({ record }) => record.viewer))) {
          assert.ok(!seen.has(viewer), viewer)
          seen.add(viewer)
        }
        for (const { record } of slice.writes) ids.push(record.id)
        slices += 1
        from = slice.next
        more = from !== undefined
      }
      assert.deepEqual(ids.sort(), writes.map(({ record }) => record.id).sort())
      assert.ok(slices >= 3, `${slices} slices`)
    })

    test('a slice says when a record expires, and its bytes grow with the records', async (t) => {
      const { store } = await opened(t)
      const expiresAt = store.now() + 1_000_000
      await store.write([makeWrite({ query: 'x'.repeat(5_000) }, expiresAt)])
      const { writes, bytes } = await allOf(store)
      assert.deepEqual(writes, [makeWrite({ query: 'x'.repeat(5_000) }, expiresAt)])
      assert.ok(bytes > 5_000 && bytes < 7_000, `${bytes}`)
    })

    test('marks hold for the next store, and for other configurations, until they expire', async (t) => {
      const { place, store } = await opened(t)
      assert.deepEqual(await store.marks(), [])
      const now = store.now()
      const marks: CloseMark[] = [
        { filter: {}, at: now, until: now + 10_000 },
        { filter: { user: 'anna', address: '192.0.2.7' }, at: now, until: now + 60_000 },
        { filter: { user: 'anna', address: '192.0.2.7' }, at: now + 5, until: now + 60_005 },
      ]
      await Promise.all(marks.map((mark) => store.mark(mark)))
      const by = (a: CloseMark, b: CloseMark): number => a.until - b.until
      assert.deepEqual([...(await store.marks())].sort(by), marks)
      const other = await reopen(t, place, store, 'another')
      assert.deepEqual([...(await other.marks())].sort(by), marks)
      await place.pass(10_000)
      await allOf(other)
      assert.deepEqual([...(await other.marks())].sort(by), marks.slice(1))
    })

    test('store time goes on while no store is open', async (t) => {
      const { place, store } = await opened(t)
      await store.write([makeWrite()])
      const before = store.now()
      await store.close()
      await place.pass(5_000)
      const next = place.create()
      t.after(() => next.close())
      await next.open()
      const passed = next.now() - before
      assert.ok(passed >= 5_000 && passed < 6_000, `${passed}`)
    })

    test('a store that is not open rejects with a StoreError, and can be closed', async (t) => {
      const place = await kind.place(t)
      const store = place.create()
      await store.close()
      const calls = [
        () => store.recall(viewer),
        () => store.write([makeWrite()]),
        () => store.remove([{ viewer, id: 'a' }]),
        () => store.mark({ filter: {}, at: 0, until: 1 }),
        () => store.marks(),
        () => store.slice(undefined, 1),
      ]
      for (const call of calls) await assert.rejects(call(), StoreError)
      await store.open()
      for (const call of calls) await call()
      await store.close()
      await store.close()
      for (const call of calls) await assert.rejects(call(), StoreError)
    })

    test('a store can be opened again, whether it was closed or not', async (t) => {
      const { store } = await opened(t)
      await store.write([makeWrite()])
      assert.equal(await store.open(), undefined)
      assert.equal((await store.recall(viewer)).length, 1)
    })

    test('calls that are under way when it is opened again do not break it', async (t) => {
      const { store } = await opened(t)
      const calls: Promise<unknown>[] = []
      for (let n = 0; n < 30; n += 1)
        calls.push(store.write([makeWrite({ id: `${n}` })]), store.recall(viewer), store.slice(undefined, 10))
      const ended = Promise.allSettled(calls)
      await store.open()
      for (const outcome of await ended)
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof StoreError)
      await store.write([makeWrite({ id: 'after' })])
      assert.ok((await idsOf(store)).includes('after'))
    })

    test('no records, no removals: nothing happens', async (t) => {
      const { store } = await opened(t)
      await store.write([])
      await store.remove([])
      assert.deepEqual((await allOf(store)).writes, [])
    })
  })
}

function sorted<Item extends { readonly id: string }>(items: readonly Item[]): Item[] {
  return [...items].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** All slices as one. */
export async function allOf(store: RecordStore): Promise<{ writes: readonly Write[]; bytes: number }> {
  const writes: Write[] = []
  let bytes = 0
  for (let from: string | undefined, more = true; more; ) {
    const slice = await store.slice(from, 100)
    writes.push(...slice.writes)
    bytes += slice.bytes
    from = slice.next
    more = from !== undefined
  }
  return { writes, bytes }
}
