import type { Return } from '../decision/stored.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'

/** An end, as the live page is told of it. */
export interface EndedView {
  readonly session: string
  readonly why: SessionEnd
  /** The name of the gate where it has ended; only where gates share a store. */
  readonly gate?: string
}

/** What has changed in a gate since another one asked last. */
export interface Changes {
  /** To be given back with the next question. */
  readonly mark: string
  /** Something is missing: fetch all sessions again. Also with the first question. */
  readonly lost: boolean
  readonly opened: readonly SessionView[]
  readonly ended: readonly EndedView[]
}

/**
 * The latest openings and ends of this gate, for the live pages of others. It costs nothing while nobody
 * asks.
 */
export interface RecentChanges {
  opened(session: Session): void
  /** A session of the store is in the table again. One that was resumed is told as opened, too. */
  returned(session: Session, as: Return): void
  ended(session: Session, why: SessionEnd): void
  /** @param mark of the former answer; empty at first */
  after(mark: string): Changes
}

export interface RecentChangesOptions {
  /** The name of this gate. */
  readonly name: string
  readonly viewOf: (session: Session) => SessionView
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** The most changes that are kept. Who asks each second misses some of more than so many a second. */
const MOST = 1_000
/** When nobody has asked for so many milliseconds, nothing is kept any more. */
const ASKED_WITHIN = 10_000

export function createRecentChanges({ name, viewOf, clock }: RecentChangesOptions): RecentChanges {
  /** Change n is at place n modulo its size. */
  const ring: { readonly session: Session; readonly why?: SessionEnd }[] = []
  /** Counts the times that it began to keep. */
  let run = 0
  let latest = 0
  let askedAt = Number.NEGATIVE_INFINITY

  const isAsked = (): boolean => clock() - askedAt < ASKED_WITHIN
  const keep = (change: (typeof ring)[number]): void => {
    if (isAsked()) ring[++latest % MOST] = change
    else ring.length = 0
  }

  return {
    opened: (session) => keep({ session }),
    returned(session, as) {
      if (as === 'adopted') keep({ session })
    },
    ended: (session, why) => keep({ session, why }),
    after(mark) {
      if (!isAsked()) run++
      askedAt = clock()
      const [, ofRun, seen] = /^(\d+)\.(\d+)$/.exec(mark) ?? []
      const from = Number(seen)
      const now = `${run}.${latest}`
      if (Number(ofRun) !== run || from > latest || latest - from > MOST)
        return { mark: now, lost: true, opened: [], ended: [] }
      const opened = new Map<string, Session>()
      const ended = new Map<string, SessionEnd>()
      for (let next = from + 1; next <= latest; next++) {
        const change = ring[next % MOST]
        if (change === undefined) continue
        const { session, why } = change
        if (why === undefined) {
          ended.delete(session.id)
          opened.set(session.id, session)
        } else {
          opened.delete(session.id)
          ended.set(session.id, why)
        }
      }
      return {
        ...{ mark: now, lost: false },
        opened: [...opened.values()].map(viewOf),
        ended: [...ended].map(([session, why]) => ({ session, why, gate: name })),
      }
    },
  }
}
