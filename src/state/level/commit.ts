import { type Entry, MARKS } from '../record-format.ts'
import { StoreError } from '../record-store.ts'
import { decodeBundle, encodeBundle } from './bundle.ts'
import type { Engine, Step } from './level-engine.ts'
import type { StoreTime } from './store-time.ts'

/**
 * Most records of one viewer, since a look-up reads them all and each change writes them all. Those that
 * expire first give way: of sessions that play the records are kept longest.
 */
const MOST_OF_VIEWER = 512

/** The key of the saved time. */
export const CLOCK = '!clock'

/** An entry to put into the bundle of a key in place of an older one; without an entry it is removed. */
export interface Change {
  readonly key: string
  readonly id: string
  readonly entry?: Entry
}

export interface Batch {
  readonly changes: readonly Change[]
  /** Keys of bundles from which expired entries are to be removed. */
  readonly tidy?: readonly string[]
  /** Keys to remove. */
  readonly drop?: readonly string[]
  /** It is on the disk before it is acknowledged. */
  readonly sync: boolean
}

/** Writes batches as one, and the time with them. Only one may be under way. */
export async function commit(engine: Engine, time: StoreTime, batches: readonly Batch[]): Promise<void> {
  const changes = batches.flatMap((batch) => batch.changes)
  const keys = new Set(changes.map((change) => change.key))
  for (const batch of batches) for (const key of batch.tidy ?? []) keys.add(key)
  const bundles = await readBundles(engine, [...keys])
  for (const { key, id, entry } of changes) {
    if (entry === undefined) bundles.get(key)?.delete(id)
    else bundles.get(key)?.set(id, entry)
  }
  const now = time.now()
  const steps: Step[] = batches.flatMap((batch) => (batch.drop ?? []).map((key) => ({ key })))
  for (const [key, bundle] of bundles) {
    const entries = mostOf(
      key,
      [...bundle.values()].filter((entry) => entry.expiresAt > now),
    )
    steps.push(entries.length === 0 ? { key } : { key, value: encodeBundle(entries) })
  }
  steps.push({ key: CLOCK, value: Buffer.from(JSON.stringify(time.save())) })
  await engine.batch(
    steps,
    batches.some((batch) => batch.sync),
  )
}

function mostOf(key: string, entries: readonly Entry[]): readonly Entry[] {
  if (key === MARKS || entries.length <= MOST_OF_VIEWER) return entries
  return entries.toSorted((a, b) => b.expiresAt - a.expiresAt).slice(0, MOST_OF_VIEWER)
}

async function readBundles(
  engine: Engine,
  keys: readonly string[],
): Promise<Map<string, Map<string, Entry>>> {
  const values = keys.length === 0 ? [] : await engine.getMany(keys)
  return new Map(
    keys.map((key, index) => {
      const entries = entriesOf(key, values[index])
      return [key, new Map(entries.map((entry) => [entry.id, entry]))]
    }),
  )
}

/**
 * What is in a bundle. A damaged bundle of records holds nothing.
 * @throws {StoreError} for damaged marks, without which a closed session could come back
 */
export function entriesOf(key: string, value: Buffer | undefined): readonly Entry[] {
  if (value === undefined) return []
  const entries = decodeBundle(value)
  if (entries === undefined && key === MARKS)
    throw new StoreError('damaged', 'the marks of closed sessions cannot be read')
  return entries ?? []
}
