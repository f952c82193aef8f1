import { setImmediate } from 'node:timers/promises'
import type { RecordStore } from '../../src/state/record-store.ts'
import { createSessionStore, type SessionStore } from '../../src/state/session-store.ts'
import { type LevelPlace, makeLevelPlace } from '../state/level-place.ts'
import { createPretendGate, type PretendGate, type PretendGateOptions } from './pretend-gate.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

/** A pretend gate with a store, which is real: LevelDB in a folder. */
export interface StoredGate extends Omit<PretendGate, 'pass'> {
  readonly store: SessionStore
  /** Lets this many milliseconds pass; timers of the store fire. */
  pass(milliseconds: number): Promise<void>
  /** Resolves when all that happened so far is written. */
  written(): Promise<void>
  /** It ends as by SIGTERM. */
  stop(): Promise<void>
  /** It ends as by kill -9: what was not written is lost. */
  kill(): Promise<void>
}

export interface PretendMachine {
  readonly place: LevelPlace
  /** Starts a gate. One at a time. */
  start(options?: PretendGateOptions): Promise<StoredGate>
  /** Time passes while no gate runs. */
  pass(milliseconds: number): void
}

/** A machine on which one gate after the other uses the same folder. */
export function createPretendMachine(scope: Scope, configuration = 'configuration'): PretendMachine {
  const place = makeLevelPlace(scope)
  return {
    place,
    pass: place.pass,
    start: (options) => startOn(scope, place, place.create({ configuration }), options),
  }
}

async function startOn(
  scope: Scope,
  place: LevelPlace,
  records: RecordStore,
  options: PretendGateOptions = {},
): Promise<StoredGate> {
  const timers = new Set<{ readonly at: number; readonly act: () => void }>()
  let store: SessionStore | undefined
  const gate = createPretendGate({
    ...options,
    createStore(parts) {
      store = createSessionStore({
        ...parts,
        store: records,
        after(milliseconds, act) {
          const timer = { at: parts.clock() + milliseconds, act }
          timers.add(timer)
          return () => void timers.delete(timer)
        },
        max: Number.POSITIVE_INFINITY,
        // Real time: a busy machine is no hung disk.
        timeout: 30_000,
        onChange() {},
        onSetAside() {},
        onCommand() {},
        onReturned() {},
        onSilent() {},
        onClosed() {},
      })
      return store
    },
  })
  if (store === undefined) throw new Error('the gate has built no store')
  const built = store
  await built.start(Number.POSITIVE_INFINITY)
  scope.after(() => records.close())
  const move = (milliseconds: number): void => {
    gate.pass(milliseconds)
    place.pass(milliseconds)
  }
  const pass = async (milliseconds: number): Promise<void> => {
    const end = gate.now() + milliseconds
    for (;;) {
      const [next] = [...timers].sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      timers.delete(next)
      move(next.at - gate.now())
      next.act()
    }
    move(end - gate.now())
    await setImmediate()
  }
  return {
    ...gate,
    store: built,
    pass,
    async written() {
      await pass(100)
      await until('the store to be written', () => built.waiting() === 0)
      // It waits for what is being written.
      await records.remove([])
    },
    stop: () => built.stop(Number.POSITIVE_INFINITY),
    async kill() {
      timers.clear()
      await records.close()
    },
  }
}
