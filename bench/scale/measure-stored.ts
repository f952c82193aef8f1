import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../../src/state/store-engine.ts'
import type { Scope } from '../../test/support/scope.ts'
import type { Progress } from '../progress.ts'
import { startValkey } from '../start-valkey.ts'
import type { StoredSize } from './figures.ts'
import { openStore } from './open-store.ts'
import { type StoredViewer, storedViewer } from './stored-viewers.ts'

export interface StoredOptions {
  readonly folder: string
  /** How many sessions, in rising order. */
  readonly sizes: readonly number[]
  readonly progress: Progress
}

/** As many as a gate writes at once, four times. */
const CHUNK = 2_000
/** Milliseconds until something is tried again, and how often. */
const PAUSE = 1_000
const MOST_TRIES = 60
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

  /** A machine that is so busy that its Valkey seems dead is waited for. Nothing is counted twice. */
  const persist = async (act: () => Promise<unknown>): Promise<void> => {
    for (let tries = 0; ; tries++) {
      try {
        await act()
        return
      } catch (error) {
        if (!(error instanceof StoreError) || tries === MOST_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
      }
    }
  }

  for (const sessions of sizes) {
    progress.begin(`memory of Valkey with ${sessions.toLocaleString('en')} sessions`)
    for (let at = filled; at < sessions; at += CHUNK) {
      const number = Math.min(CHUNK, sessions - at)
      const all = Array.from({ length: number }, (_, n) => storedViewer(at + n, store.now(), true))
      const begun = await used()
      await persist(() => store.write(all.map(({ write }) => write)))
      const written = await used()
      // Longer than a gate would, so that the first are there when the last have come.
      const put = ({ user, text }: StoredViewer) => store.users.write(user, text, undefined, 3_600_000)
      await persist(() => Promise.all(all.map(put)))
      records += written - begun
      users += (await used()) - written
    }
    measured.push({
      ...{ sessions, record: records / sessions, user: users / sessions, used: await used() },
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
