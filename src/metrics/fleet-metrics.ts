import type { ReadAtScrape } from './read-at-scrape.ts'
import type { WatchedFleet } from './watched.ts'

/** Adds the metrics of gates that share a store. */
export function createFleetMetrics({ name, gates }: WatchedFleet, { gauge }: ReadAtScrape): void {
  gauge('gate_info', 'What people call this gate; always 1.', () => [[{ gate: name }, 1]])
  gauge('gates', 'Gates that this one has heard of in the last seconds, itself included.', () => [
    [{}, gates()],
  ])
}
