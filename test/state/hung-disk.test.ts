import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLevelEngine, type Engine } from '../../src/state/level/level-engine.ts'
import type { RecordStore } from '../../src/state/record-store.ts'
import { createPretendTime, type PretendTime } from '../support/pretend-time.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { makeLevelPlace } from './level-place.ts'
import { makeRecord, makeWrite } from './records.ts'

const { viewer } = makeRecord()
const timeout = { name: 'StoreError', trouble: 'timeout' }

/** A disk that keeps the calls that it gets from now on, until it is let go. */
interface Disk {
  hangs: boolean
  /** Calls on their way: each holds a thread. */
  held: number
  most: number
  letGo(): void
}

async function makeHangable(scope: Scope): Promise<{ store: RecordStore; disk: Disk; time: PretendTime }> {
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
  const createEngine = async (location: string): Promise<Engine> => {
    const engine = await createLevelEngine(location)
    return {
      open: () => held(() => engine.open()),
      getMany: (keys) => held(() => engine.getMany(keys)),
      batch: (steps, sync) => held(() => engine.batch(steps, sync)),
      read: (from, most) => held(() => engine.read(from, most)),
      close: () => held(() => engine.close()),
    }
  }
  const place = makeLevelPlace(scope)
  const store = place.create({
    createEngine,
    startTimer: time.after,
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
  await store.write([makeWrite()])
  disk.hangs = true
  const recall = assert.rejects(store.recall(viewer), timeout)
  await time.pass(99)
  assert.equal(disk.held, 1)
  await time.pass(1)
  await recall
  const calls = [
    () => store.recall(viewer),
    () => store.write([makeWrite()]),
    () => store.remove([{ viewer, id: 'a' }]),
    () => store.mark({ filter: {}, at: 0, until: 1 }),
    () => store.marks(),
    () => store.slice(undefined, 10),
  ]
  for (const call of calls) await assert.rejects(call(), timeout)
  assert.equal(disk.held, 1, 'no call was sent after the one that hangs')
  assert.equal(time.set(), 0)
})

test('however many ask, a hung disk keeps two threads of the pool at most', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  disk.most = 0
  disk.hangs = true
  const calls: Promise<unknown>[] = []
  for (let n = 0; n < 100; n += 1) {
    calls.push(store.recall(`${n}`), store.write([makeWrite({ id: `${n}` })]))
    calls.push(store.slice('', 10), store.marks(), store.remove([{ viewer, id: `${n}` }]))
  }
  const ended = Promise.allSettled(calls)
  await time.pass(2_000)
  const outcomes = await ended
  assert.ok(
    outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.trouble === 'timeout'),
  )
  assert.equal(disk.most, 2)
})

test('when the disk answers again, the store works on without being opened', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  await store.write([makeWrite({ id: 'before' })])
  disk.hangs = true
  const write = assert.rejects(store.write([makeWrite({ id: 'while' })]), timeout)
  await time.pass(1_000)
  await write
  disk.letGo()
  await untilFree(disk)
  await store.write([makeWrite({ id: 'after' })])
  const ids = (await store.recall(viewer)).map(({ id }) => id)
  assert.ok(ids.includes('before') && ids.includes('after'), ids.join())
})

test('a disk that hangs at close delays it no longer than its deadline, and keeps no lock', async (t) => {
  const { store, disk, time } = await makeHangable(t)
  await store.open()
  await store.write([makeWrite()])
  disk.hangs = true
  const close = store.close()
  await time.pass(5_000)
  await close
  await assert.rejects(store.open(), timeout)
  disk.letGo()
  await untilFree(disk)
  await store.open()
  assert.equal((await store.recall(viewer)).length, 1)
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
  await store.write([makeWrite()])
})

test('an error that comes after the deadline is no lost one: the store must be opened again', async (t) => {
  const time = createPretendTime()
  let fail: ((error: Error) => void) | undefined
  const place = makeLevelPlace(t)
  const store = place.create({
    startTimer: time.after,
    createEngine: async (location) => {
      const engine = await createLevelEngine(location)
      const hang = (): Promise<void> =>
        new Promise((_, reject) => {
          fail = reject
        })
      return { ...engine, batch: hang }
    },
  })
  t.after(() => store.close())
  await store.open()
  const write = assert.rejects(store.write([makeWrite()]), timeout)
  await until('the batch is on its way', () => fail !== undefined)
  await time.pass(60_000)
  await write
  fail?.(new Error('IO error: No space left on device'))
  await time.pass(0)
  await assert.rejects(store.recall(viewer), { trouble: 'full' })
})

/** Until what it kept is done, and the store has heard of it. */
async function untilFree(disk: Disk): Promise<void> {
  await until('the disk is free', () => disk.held === 0)
  await setImmediate()
}
