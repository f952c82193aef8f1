import type { Settings } from '../config/read-settings.ts'
import { createDenials, createOutage, type Memory } from '../decision/memory.ts'
import { createSessionTable, type SessionTableOptions } from '../session/session-table.ts'

interface Bounded {
  readonly count: () => number
  readonly limit: number
}

export interface BoundedMemory extends Memory {
  /** How much is held of each kind now, and at most. */
  readonly held: Readonly<Record<'live' | 'provisional' | 'denied', Bounded>>
  /** Bytes that sessions take now, and at most. */
  readonly heldBytes: Readonly<Record<'live' | 'provisional', Bounded>>
  /** Looks for what is past its time from now on; the function returned ends that. */
  startSweeping(clock: () => number): () => void
}

/** Denied keys have a bound of their own: a flood of bad tokens evicts no viewer. */
const MAX_DENIALS = 100_000
/** Sessions of the default action likewise. */
const MAX_PROVISIONAL = 20_000
/** Their part of SESSION_MEMORY. */
const PROVISIONAL_MEMORY = 1 / 5
/** Milliseconds between looks for sessions that have gone silent. */
const SWEEP_EVERY = 5_000
/** Of each kind at once: when all have gone silent together, others must be answered in between. */
const SWEEP_SLICE = 1_000

/** What the gate remembers, and `told` hears of the sessions that open and end. */
export function createMemory(
  settings: Pick<Settings, 'maxSessions' | 'sessionMemory' | 'sessionIdle'>,
  told: Pick<SessionTableOptions, 'onOpened' | 'onEnded'>,
): BoundedMemory {
  const { maxSessions, sessionMemory, sessionIdle: idle } = settings
  const provisionalBytes = Math.floor(sessionMemory * PROVISIONAL_MEMORY)
  const liveBytes = sessionMemory - provisionalBytes
  const sessions = createSessionTable({ max: maxSessions, maxBytes: liveBytes, idle, ...told })
  const provisional = createSessionTable({ max: MAX_PROVISIONAL, maxBytes: provisionalBytes, idle, ...told })
  const denials = createDenials(MAX_DENIALS)
  return {
    sessions,
    provisional,
    denials,
    outage: createOutage(),
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
