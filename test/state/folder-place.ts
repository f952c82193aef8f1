import { join } from 'node:path'
import { createFolderEngine, type FolderEngineOptions } from '../../src/state/folder/folder-engine.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { startTimer } from '../../src/timer.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** A folder, for the store of one process after another, and clocks that the test moves. */
export interface FolderPlace {
  readonly folder: string
  /** Milliseconds since 1970; it may be set. */
  wallNow: number
  create(options?: Partial<FolderEngineOptions>): StoreEngine
  /** Both clocks go on. */
  pass(milliseconds: number): void
}

export function makeFolderPlace(scope: Scope): FolderPlace {
  return makeFolderPlaceIn(join(makeTemporaryFolder(scope), 'state'))
}

export function makeFolderPlaceIn(folder: string): FolderPlace {
  let monotonic = 0
  const place: FolderPlace = {
    folder,
    wallNow: Date.now(),
    create: (options = {}) =>
      createFolderEngine({
        ...{ folder, max: 256 * 1_048_576, clock: () => monotonic, wall: () => place.wallNow },
        after: startTimer,
        // A busy machine is no hung disk.
        deadlines: { read: 30_000, write: 30_000, open: 30_000 },
        ...options,
      }),
    pass(milliseconds) {
      monotonic += milliseconds
      place.wallNow += milliseconds
    },
  }
  return place
}
