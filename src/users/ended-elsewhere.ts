import { LRUCache } from 'lru-cache'
import type { DisplacedSession } from '../limit/displace.ts'

/**
 * What other gates have displaced before this one had it in its table: the answer about its place may be on
 * its way still.
 */
export interface EndedElsewhere {
  add(gone: DisplacedSession): void
  /** Whether this session was, and forgets it. */
  take(id: string): DisplacedSession | undefined
}

const MOST = 10_000
/** Longer than any answer of a store may take; milliseconds. */
const KEEP = 10_000

export function createEndedElsewhere(): EndedElsewhere {
  const all = new LRUCache<string, DisplacedSession>({ max: MOST, ttl: KEEP })
  return {
    add: (gone) => void all.set(gone.id, gone),
    take(id) {
      const gone = all.size === 0 ? undefined : all.get(id)
      if (gone !== undefined) all.delete(id)
      return gone
    },
  }
}
