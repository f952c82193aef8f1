import { existsSync } from 'node:fs'
import type { Log } from '../log/log.ts'
import type { RecordStore } from '../state/record-store.ts'
import { takeAlong } from '../state/take-along.ts'

export interface TakeFolderAlongOptions {
  /** Where this gate may have kept its sessions before; absolute paths. */
  readonly folders: readonly string[]
  /** Those of today: what lies there is sealed with one of them, or with none. */
  readonly secrets: readonly string[]
  /** A store in a folder, not open. */
  readonly createStore: (folder: string, secrets: readonly string[]) => RecordStore
  /** The open store that gates share. */
  readonly to: RecordStore
  readonly log: Log
}

/**
 * Takes the sessions along from the folder that this gate used before it shared a store. It never rejects:
 * who is not taken along is asked about.
 */
export async function takeFolderAlong(options: TakeFolderAlongOptions): Promise<void> {
  for (const folder of options.folders)
    if (existsSync(folder))
      for (const secrets of [[], options.secrets]) await takeFrom(folder, secrets, options)
}

async function takeFrom(
  folder: string,
  secrets: readonly string[],
  { createStore, to, log }: TakeFolderAlongOptions,
): Promise<void> {
  const from = createStore(folder, secrets)
  try {
    await from.open()
    const { sessions } = await takeAlong(from, to)
    if (sessions > 0) log.info('sessions taken along from the folder', { folder, sessions })
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    log.warn('the sessions of the folder were not taken along', { folder, detail })
  } finally {
    await from.close()
  }
}
