import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Scope } from '../../test/support/scope.ts'
import type { Progress } from '../progress.ts'
import { startValkey } from '../start-valkey.ts'
import type { StoredSize } from './figures.ts'
import { openStore } from './open-store.ts'
import { storedViewer } from './stored-viewers.ts'

export interface StoredOptions {
  readonly folder: string
  /** How many sessions, in rising order. */
  readonly sizes: readonly number[]
  readonly progress: Progress
}

/** As many as a gate writes at once. */
const BATCH = 500
/** Sessions a second, for the plan. */
const FILL_RATE = 5_000

export function storedSeconds(sizes: readonly number[]): number {
  return Math.max(0, ...sizes) / FILL_RATE
}

/** Fills a Valkey through the store of the product, with sessions of viewers who play and have a limit. */
export async function measureStored(scope: Scope, options: StoredOptions): Promise<readonly StoredSize[]> {
  const { sizes, progress } = options
  const valkey = await startValkey(scope, mkdtempSync(join(options.folder, 'stored-')))
  const store = await openStore(scope, valkey)
  const used = (): Promise<number> => valkey.figure('used_memory')
  const measured: StoredSize[] = []
  let [records, users, filled] = [0, 0, 0]

  for (const sessions of sizes) {
    progress.begin(`memory of Valkey with ${sessions.toLocaleString('en')} sessions`)
    const begun = await used()
    for (let at = filled; at < sessions; at += BATCH) {
      const all = viewers(at, Math.min(sessions, at + BATCH), store.now())
      const notDone = await store.write(all.map(({ write }) => write))
      if (notDone.length > 0) throw new Error(`Valkey has not written ${notDone.length} records`)
    }
    const written = await used()
    for (let at = filled; at < sessions; at += BATCH) {
      const all = viewers(at, Math.min(sessions, at + BATCH), store.now())
      // Longer than a gate would, so that the first are there when the last have come.
      const keepFor = 3_600_000
      await Promise.all(all.map(({ user, text }) => store.users.replace(user, undefined, text, keepFor)))
    }
    const ended = await used()
    records += written - begun
    users += ended - written
    measured.push({
      ...{ sessions, record: records / sessions, user: users / sessions, used: ended },
      rss: await valkey.figure('used_memory_rss'),
    })
    progress.done(
      `${Math.round((records + users) / sessions)} bytes for each`,
      (sessions - filled) / FILL_RATE,
    )
    filled = sessions
  }
  return measured
}

function viewers(from: number, to: number, now: number) {
  return Array.from({ length: to - from }, (_, at) => storedViewer(from + at, now, true))
}
