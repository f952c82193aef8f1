import type { Settings } from '../config/read-settings.ts'
import type { SessionLimit } from '../decision/limit.ts'
import { createDenials, type Memory } from '../decision/memory.ts'
import { createOutage } from '../decision/outage.ts'
import type { Stored } from '../decision/stored.ts'
import { createSessionTable, type SessionTableOptions } from '../session/session-table.ts'

/** An amount that has an upper bound. */
interface Bounded {
  readonly count: () => number
  readonly limit: number
}

export interface BoundedMemory extends Memory {
  /** How many entries of each kind there are, and may be. */
  readonly held: Readonly<Record<'live' | 'provisional' | 'denied', Bounded>>
  /** How many bytes the sessions take, and may take. */
  readonly heldBytes: Readonly<Record<'live' | 'provisional', Bounded>>
  /** Starts the periodic removal of idle sessions and expired denies; returns a function that stops it. */
  startSweeping(clock: () => number): () => void
}

/** Bound of remembered denies; their own, so that a flood of bad tokens evicts no viewer. */
const MAX_DENIALS = 100_000
/** Bound of the sessions that the default action opened; their own, so that an outage evicts no viewer. */
const MAX_PROVISIONAL = 20_000
/** Their part of SESSION_MEMORY. */
const PROVISIONAL_MEMORY = 1 / 5
/** What the limit keeps for a session whose user plays nothing else. */
const BYTES_OF_LIMIT = 1_500
/** Milliseconds between sweeps. */
const SWEEP_EVERY = 5_000
/** Most entries of each kind that one sweep removes, so that requests are answered between sweeps. */
const SWEEP_SLICE = 1_000

/** Builds what the gate remembers. `listeners` are called when a session opens or ends. */
export function createMemory(
  settings: Pick<Settings, 'maxSessions' | 'sessionMemory' | 'sessionIdle'>,
  listeners: Pick<SessionTableOptions, 'onOpened' | 'onEnded' | 'onCookie' | 'unseen'>,
  stored?: Stored,
  limit?: SessionLimit,
): BoundedMemory {
  const { maxSessions, sessionMemory, sessionIdle: idle } = settings
  const provisionalBytes = Math.floor(sessionMemory * PROVISIONAL_MEMORY)
  const liveBytes = sessionMemory - provisionalBytes
  const sessions = createSessionTable({
    max: maxSessions,
    maxBytes: liveBytes,
    overhead: limit === undefined ? 0 : BYTES_OF_LIMIT,
    // A session that plays elsewhere is told so often.
    news: idle / 2,
    idle,
    ...listeners,
  })
  const provisional = createSessionTable({
    max: MAX_PROVISIONAL,
    maxBytes: provisionalBytes,
    idle,
    ...listeners,
  })
  const denials = createDenials(MAX_DENIALS)
  return {
    sessions,
    provisional,
    denials,
    outage: createOutage(),
    stored,
    limit,
    held: {
      live: { count: sessions.count, limit: maxSessions },
      provisional: { count: provisional.count, limit: MAX_PROVISIONAL },
      denied: { count: denials.count, limit: MAX_DENIALS },
    },
    heldBytes: {
      live: { count: sessions.bytes, limit: liveBytes },
      provisional: { count: provisional.bytes, limit: provisionalBytes },
    },
    startSweeping(clock) {
      let next: NodeJS.Immediate | undefined
      const sweep = (): void => {
        const now = clock()
        const swept = [sessions, provisional, denials].map((held) => held.sweep(now, SWEEP_SLICE))
        next = swept.includes(SWEEP_SLICE) ? setImmediate(sweep).unref() : undefined
      }
      const sweeper = setInterval(() => {
        if (next === undefined) sweep()
      }, SWEEP_EVERY).unref()
      return () => {
        clearInterval(sweeper)
        clearImmediate(next)
      }
    },
  }
}
