import { join } from 'node:path'
import {
  createLevelStore,
  type LevelStore,
  type LevelStoreOptions,
} from '../../src/state/level/level-store.ts'
import { startTimer } from '../../src/timer.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** A machine's clocks, moved by the test. The wall clock can be set. */
export interface PretendClocks {
  boot: string
  uptimeNow: number
  wallNow: number
  uptime(): number
  wall(): number
}

/** A folder and clocks, for one LevelDB store after another. */
export interface LevelPlace {
  readonly folder: string
  readonly clocks: PretendClocks
  create(options?: Partial<LevelStoreOptions>): LevelStore
  /** Both clocks go on. */
  pass(milliseconds: number): void
}

export function makeLevelPlace(scope: Scope): LevelPlace {
  return makeLevelPlaceIn(join(makeTemporaryFolder(scope), 'state'))
}

export function makeLevelPlaceIn(folder: string): LevelPlace {
  const clocks: PretendClocks = {
    boot: 'boot-1',
    uptimeNow: 1_000_000,
    wallNow: Date.now(),
    uptime: () => clocks.uptimeNow,
    wall: () => clocks.wallNow,
  }
  return {
    folder,
    clocks,
    create: (options = {}) =>
      createLevelStore({
        folder,
        secrets: [],
        configuration: 'configuration',
        clocks,
        startTimer,
        // A busy machine is no hung disk.
        deadlines: { read: 30_000, write: 30_000, open: 30_000 },
        ...options,
      }),
    pass(milliseconds) {
      clocks.uptimeNow += milliseconds
      clocks.wallNow += milliseconds
    },
  }
}
