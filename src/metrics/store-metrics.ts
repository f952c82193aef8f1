import type { Return } from '../decision/stored.ts'
import type { Session } from '../session/session.ts'
import { type StoreTrouble, storeTroubles } from '../state/store-engine.ts'
import { type StoreCommand, storeCommands } from '../state/store-link.ts'
import { createDurations } from './durations.ts'
import type { ReadAtScrape, Sample } from './read-at-scrape.ts'
import type { WatchedStore } from './watched.ts'

/** What metrics are told of the store. */
export interface StoreMetrics {
  /** The store has done this, or has failed to, after `took` milliseconds. */
  commanded(command: StoreCommand, took: number, trouble: StoreTrouble | undefined): void
  /** A session of the store is in the table again. */
  returned(session: Session, as: Return): void
}

/** Adds the metrics of a store. */
export function createStoreMetrics(
  store: WatchedStore,
  { counter, gauge, histogram }: ReadAtScrape,
): StoreMetrics {
  const durations = storeCommands.map((command) => [command, createDurations()] as const)
  const durationOf = new Map(durations)
  const failures = new Map(storeTroubles.map((why) => [why, 0]))
  const returns: Record<Return, number> = { adopted: 0, resumed: 0 }
  let late = 0
  const single = (read: () => number) => (): Sample[] => [[{}, read()]]

  gauge(
    'state_usable',
    'Whether the store can be used.',
    single(() => (store.state().usable ? 1 : 0)),
  )
  histogram('state_seconds', 'Time of commands to the store, failed ones included.', () =>
    durations.map(([command, one]) => [{ command }, one.read()]),
  )
  counter('state_failures_total', 'Commands to the store that failed, by why.', () =>
    [...failures].map(([why, count]) => [{ why }, count]),
  )
  counter(
    'state_timeouts_total',
    'Looks that took longer than STATE_TIMEOUT, so that the backend was asked before.',
    single(() => late),
  )
  gauge('state_bytes', 'Bytes that the store takes on the disk.', single(store.bytes))
  counter(
    'state_too_large_total',
    'Sessions that were not written, since their record has more than 8 KB.',
    single(store.tooLarge),
  )
  gauge('state_waiting', 'Changes that wait to be written to the store.', single(store.waiting))
  counter(
    'sessions_adopted_total',
    'Sessions that play and were taken over from the store.',
    single(() => returns.adopted),
  )
  counter(
    'sessions_resumed_total',
    'Silent sessions of the store that went on.',
    single(() => returns.resumed),
  )

  return {
    commanded(command, took, trouble) {
      durationOf.get(command)?.note(took)
      if (command === 'recall' && took > store.timeout) late++
      if (trouble !== undefined) failures.set(trouble, (failures.get(trouble) ?? 0) + 1)
    },
    returned(_session, as) {
      returns[as]++
    },
  }
}
