import { existsSync } from 'node:fs'
import { startTimer } from '../backend/timer.ts'
import type { Log } from '../log/log.ts'
import { createLevelStore } from '../state/level/level-store.ts'
import { readSystemClocks } from '../state/level/store-time.ts'
import { type RecordStore, StoreError } from '../state/record-store.ts'
import { takeAlong } from '../state/take-along.ts'

export interface TakeFolderAlongOptions {
  /** Where this gate may have kept its sessions before; absolute paths. */
  readonly folders: readonly string[]
  /** Those of today: what lies there is sealed with one of them, or with none. */
  readonly secrets: readonly string[]
  readonly configuration: string
  /** The open store that gates share. */
  readonly to: RecordStore
  readonly log: Log
}

/** How long one command to the folder may take, in milliseconds. */
const DEADLINES = { read: 1_000, write: 2_000, open: 5_000 }

/**
 * Takes the sessions along from the folder that this gate used before it shared a store. It never rejects: who
 * is not taken along is asked about.
 */
export async function takeFolderAlong(options: TakeFolderAlongOptions): Promise<void> {
  for (const folder of options.folders)
    if (existsSync(folder))
      for (const secrets of [[], options.secrets]) await takeFrom(folder, secrets, options)
}

async function takeFrom(
  folder: string,
  secrets: readonly string[],
  { configuration, to, log }: TakeFolderAlongOptions,
): Promise<void> {
  const clocks = readSystemClocks()
  const from = createLevelStore({ folder, secrets, configuration, clocks, startTimer, deadlines: DEADLINES })
  try {
    await from.open()
    const { sessions } = await takeAlong(from, to)
    if (sessions > 0) log.info('sessions taken along from the folder', { folder, sessions })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    log.warn('the sessions of the folder were not taken along', { folder, detail: error.message })
  } finally {
    await from.close()
  }
}
