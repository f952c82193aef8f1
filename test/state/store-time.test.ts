import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type ClockSources,
  createStoreTime,
  readSavedTime,
  readSystemClocks,
  type SavedTime,
} from '../../src/state/level/store-time.ts'
import { makeLevelPlace } from './level-place.ts'
import { makeRecord, makeWrite } from './records.ts'

const MINUTE = 60_000
const span = fc.integer({ min: 0, max: 10 * 60 * MINUTE })
const anyStep = fc.integer({ min: -100 * 365 * 24 * 60 * MINUTE, max: 100 * 365 * 24 * 60 * MINUTE })

/** What happens to a machine and to the process on it. */
const happenings = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom<'runs' | 'is away'>('runs', 'is away'), span }),
    fc.record({ kind: fc.constant<'clock is set'>('clock is set'), step: anyStep }),
    fc.record({ kind: fc.constant<'saves'>('saves') }),
  ),
  { maxLength: 30 },
)

test('within one boot store time goes as time does, however often the clock is set', () => {
  fc.assert(
    fc.property(happenings, (all) => {
      const machine = makeMachine()
      let time = createStoreTime(machine.clocks, undefined)
      let saved = time.save()
      const start = time.now()
      for (const happening of all) {
        switch (happening.kind) {
          case 'runs':
            machine.pass(happening.span)
            break
          case 'clock is set':
            machine.wall += happening.step
            break
          case 'saves':
            saved = time.save()
            break
          case 'is away':
            machine.pass(happening.span)
            time = createStoreTime(machine.clocks, saved)
        }
        assert.equal(time.now() - start, machine.passed)
      }
    }),
  )
})

test('after another boot the wall clock counts, and store time never goes back behind what was saved', () => {
  fc.assert(
    fc.property(span, span, anyStep, (before, off, step) => {
      const machine = makeMachine()
      const time = createStoreTime(machine.clocks, undefined)
      machine.pass(before)
      const saved = time.save()
      machine.reboot(off)
      machine.wall += step
      const passed = createStoreTime(machine.clocks, saved).now() - saved.store
      assert.equal(passed, Math.max(0, off + step))
    }),
  )
})

test('a system that names no boot counts by the wall clock', () => {
  const machine = makeMachine()
  machine.boot = ''
  const saved = createStoreTime(machine.clocks, undefined).save()
  machine.pass(5_000)
  machine.wall += 1_000
  assert.equal(createStoreTime(machine.clocks, saved).now() - saved.store, 6_000)
})

test('a monotonic clock that is behind the saved one is none of this boot', () => {
  const machine = makeMachine()
  const saved = createStoreTime(machine.clocks, undefined).save()
  machine.uptime -= 500
  machine.wall += 2_000
  assert.equal(createStoreTime(machine.clocks, saved).now() - saved.store, 2_000)
})

test('a saved time that is none is not used', () => {
  const saved: SavedTime = { boot: 'b', uptime: 1, wall: 2, store: 3 }
  assert.deepEqual(readSavedTime(JSON.stringify({ ...saved, more: 1 })), saved)
  for (const name of Object.keys(saved))
    assert.equal(readSavedTime(JSON.stringify({ ...saved, [name]: null })), undefined)
  for (const text of ['', 'null', '[]', '7', JSON.stringify(saved).replace(':3', ':1e999')])
    assert.equal(readSavedTime(text), undefined, text)
})

test('the clocks of this machine go on, in milliseconds', () => {
  const clocks = readSystemClocks()
  assert.match(clocks.boot, /^[0-9a-f-]{36}$/)
  const [uptime, wall] = [clocks.uptime(), clocks.wall()]
  assert.ok(Number.isInteger(uptime) && uptime > 0)
  assert.ok(Math.abs(wall - Date.now()) < 60_000)
  assert.ok(clocks.uptime() >= uptime)
})

test('a set clock neither ends nor prolongs what is kept, also across a restart', async (t) => {
  for (const step of [-365 * 24 * 60 * MINUTE, 365 * 24 * 60 * MINUTE]) {
    const place = makeLevelPlace(t)
    let store = place.create()
    t.after(() => store.close())
    await store.open()
    await store.write([makeWrite({}, store.now() + 10 * MINUTE)])
    const known = async (): Promise<number> => (await store.recall(makeRecord().viewer)).length
    place.clocks.wallNow += step
    assert.equal(await known(), 1)
    await store.close()
    place.pass(9 * MINUTE)
    store = place.create()
    await store.open()
    assert.equal(await known(), 1)
    place.pass(1 * MINUTE)
    assert.equal(await known(), 0)
  }
})

interface Machine {
  readonly clocks: ClockSources
  boot: string
  uptime: number
  wall: number
  /** Milliseconds since it was made. */
  passed: number
  pass(milliseconds: number): void
  reboot(off: number): void
}

function makeMachine(): Machine {
  const machine: Machine = {
    clocks: {
      get boot() {
        return machine.boot
      },
      uptime: () => machine.uptime,
      wall: () => machine.wall,
    },
    boot: 'first',
    uptime: 1_000,
    wall: 1_800_000_000_000,
    passed: 0,
    pass(milliseconds) {
      machine.uptime += milliseconds
      machine.wall += milliseconds
      machine.passed += milliseconds
    },
    reboot(off) {
      machine.boot += "'s next"
      machine.uptime = 10
      machine.wall += off
    },
  }
  return machine
}
