import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Level, loadLevel } from '../../src/state/folder/level.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { createPretendTime, type PretendTime } from '../support/pretend-time.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { changeOf } from './conformance.ts'
import { makeFolderPlace } from './folder-place.ts'

const viewer = 'viewer'
const timeout = { name: 'StoreError', trouble: 'timeout' }

/** A disk that keeps the calls that it gets from now on, until it is let go. */
interface Disk {
  hangs: boolean
  /** Calls on their way: each holds a thread. */
  held: number
  most: number
  letGo(): void
}

async function makeHangable(scope: Scope): Promise<{ store: StoreEngine; disk: Disk; time: PretendTime }> {
  const time = createPretendTime()
  let release: () => void = () => undefined
  let released = Promise.resolve()
  const disk: Disk & { isHanging: boolean } = {
    isHanging: false,
    held: 0,
    most: 0,
    get hangs() {
      return disk.isHanging
    },
    set hangs(hangs) {
      disk.isHanging = hangs
      if (hangs) released = new Promise((resolve) => (release = resolve))
    },
    letGo() {
      disk.isHanging = false
      release()
    },
  }
  const held = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    disk.held += 1
    disk.most = Math.max(disk.most, disk.held)
    if (disk.isHanging) await released
    return call().finally(() => {
      disk.held -= 1
    })
  }
  const load = async (location: string): Promise<Level> => {
    const engine = await loadLevel(location)
    return {
      open: () => held(() => engine.open()),
      getMany: (keys) => held(() => engine.getMany(keys)),
      batch: (steps, sync) => held(() => engine.batch(steps, sync)),
      read: (from, most) => held(() => engine.read(from, most)),
      compact: () => held(() => engine.compact()),
      close: () => held(() => engine.close()),
    }
  }
  const place = makeFolderPlace(scope)
  const store = place.create({
    load,
    after: time.after,
    deadlines: { read: 100, write: 1_000, open: 5_000 },
  })
  scope.after(() => {
    disk.letGo()
    return store.close()
  })
  return { store, disk, time }
}

test('on a hung disk each call ends at its deadline, and at once while one hangs', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  await store.write([changeOf(viewer, 'one')])
  disk.hangs = true
  const recall = assert.rejects(store.list(viewer), timeout)
  await time.pass(99)
  assert.equal(disk.held, 1)
  await time.pass(1)
  await recall
  const calls = [
    () => store.list(viewer),
    () => store.write([changeOf(viewer, 'one')]),
    () => store.end([{ viewer, id: 'a', value: Buffer.alloc(1), keepFor: 1_000 }]),
    () => store.nextNumber(0),
    () => store.wide(),
    () => store.beat({ entry: Buffer.alloc(0), number: 0, have: 0, most: 1 }),
  ]
  for (const call of calls) await assert.rejects(call(), timeout)
  assert.equal(disk.held, 1, 'no call was sent after the one that hangs')
  // The look for what is over.
  assert.equal(time.set(), 1)
})

test('however many ask, a hung disk keeps two threads of the pool at most', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  disk.most = 0
  disk.hangs = true
  const calls: Promise<unknown>[] = []
  for (let n = 0; n < 100; n += 1) {
    calls.push(store.list(`${n}`), store.write([changeOf(viewer, `${n}`)]))
    calls.push(store.wide(), store.drop([{ viewer, id: `${n}` }]))
  }
  const ended = Promise.allSettled(calls)
  await time.pass(2_000)
  const outcomes = await ended
  assert.ok(
    outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.trouble === 'timeout'),
  )
  assert.ok(disk.most <= 2, `${disk.most} threads`)
})

test('when the disk answers again, the store works on without being opened', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  await store.write([changeOf(viewer, 'before')])
  disk.hangs = true
  const write = assert.rejects(store.write([changeOf(viewer, 'while')]), timeout)
  await time.pass(1_000)
  await write
  disk.letGo()
  await untilFree(disk)
  await store.write([changeOf(viewer, 'after')])
  const ids = (await store.list(viewer)).map(({ id }) => id)
  assert.ok(ids.includes('before') && ids.includes('after'), ids.join())
})

test('a disk that hangs at close delays it no longer than its deadline, and keeps no lock', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  await store.write([changeOf(viewer, 'one')])
  disk.hangs = true
  const close = store.close()
  await time.pass(5_000)
  await close
  await assert.rejects(store.open(), timeout)
  disk.letGo()
  await untilFree(disk)
  await store.open()
  assert.equal((await store.list(viewer)).length, 1)
})

test('a disk that hangs at open delays it no longer than its deadline, and keeps no lock', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  disk.hangs = true
  const open = assert.rejects(store.open(), timeout)
  await until('the engine is being opened', () => disk.held === 1)
  await time.pass(5_000)
  await open
  disk.letGo()
  await untilFree(disk)
  await store.open()
  await store.write([changeOf(viewer, 'one')])
})

test('an error that comes after the deadline is no lost one: the store must be opened again', async (t) => {
  const time = createPretendTime()
  let fail: ((error: Error) => void) | undefined
  const place = makeFolderPlace(t)
  const store = place.create({
    after: time.after,
    load: async (location) => {
      const engine = await loadLevel(location)
      const hang = (): Promise<void> =>
        new Promise((_, reject) => {
          fail = reject
        })
      return { ...engine, batch: hang }
    },
  })
  t.after(() => store.close())
  await store.open()
  const write = assert.rejects(store.write([changeOf(viewer, 'one')]), timeout)
  await until('the batch is on its way', () => fail !== undefined)
  await time.pass(60_000)
  await write
  fail?.(new Error('IO error: No space left on device'))
  await time.pass(0)
  await assert.rejects(store.list(viewer), { trouble: 'full' })
})

/** Until what it kept is done, and the store has heard of it. */
async function untilFree(disk: Disk): Promise<void> {
  await until('the disk is free', () => disk.held === 0)
  await setImmediate()
}
