import { answers, hasCookieOf, lacksCookie } from '../session/answers.ts'
import type { Identity } from '../session/identity.ts'
import { isOwn, isPlaylist } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { Outcome } from '../verdict.ts'
import { createFlights } from './flights.ts'
import type { OpenedBy } from './limit.ts'
import type { Memory } from './memory.ts'
import type { Recalled, Stored, StoredSession } from './stored.ts'
import type { Terms } from './terms.ts'

/**
 * For so long after its last request, in milliseconds, a silent session may be resumed without a credential:
 * a neighbour behind the same address with the same player could send such a request, too.
 */
const RESUME_WITHOUT_CREDENTIAL = 15 * 60_000

const PLAYS: OpenedBy = { isHead: false, tokenless: false }

interface RestoreOptions {
  readonly memory: Memory
  readonly stored: Stored
  readonly terms: Terms
  /** Asks about a silent session with the request that opened it, and keeps the outcome. */
  readonly askAbout: (session: Session) => Promise<Outcome>
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** Brings sessions of the store back into the table. */
interface Restore {
  /** Puts those that play into the table; returns their ids. */
  adopt(recalled: Recalled): ReadonlySet<string>
  /**
   * Resumes the silent session that answers this request, if one does. Once its re-check is due, the backend
   * is asked first.
   * @param askUntil no question begins later; milliseconds of the monotonic clock
   */
  resume(recalled: Recalled, identity: Identity, askUntil: number, isHead: boolean): Promise<Resumed>
}

/** The session that goes on, or why the last one did not. Neither: there is none. */
export interface Resumed {
  readonly session?: Session
  readonly outcome?: Exclude<Outcome, { kind: 'allow' }>
  /** The outcome is about this very request. */
  readonly isOwn?: boolean
  /** Its user plays elsewhere. */
  readonly isOverLimit?: boolean
}

export function createRestore({ memory, stored, terms, askAbout, clock }: RestoreOptions): Restore {
  const resuming = createFlights<Resumed>()

  const goOn = async (one: StoredSession, by: OpenedBy): Promise<Resumed> => {
    const { session, limited } = one
    const outcome = clock() >= session.dueAt ? await askAbout(session) : undefined
    const now = clock()
    const counts = outcome === undefined || outcome.kind === 'allow' || outcome.kind === 'unavailable'
    if (!counts || memory.outage.hasExpired(session, now) || !stored.isFree(one))
      return outcome === undefined || outcome.kind === 'allow' ? {} : { outcome }
    const place =
      outcome?.kind === 'allow'
        ? memory.limit?.enter(session, outcome.grant, outcome.backend, by)
        : memory.limit?.enterAgain(session, limited, 'resumed', by)
    const hasPlace = place instanceof Promise ? await place : place
    if (hasPlace === false) return { isOverLimit: true }
    // Its earlier part is told as ended before the next one begins.
    if (!stored.take(one, 'resumed')) {
      // It was closed while other gates were heard.
      memory.limit?.ended(session, 'closed')
      return {}
    }
    session.resume(now)
    memory.sessions.open(session, now)
    if (outcome?.kind === 'allow') stored.granted(session, terms.resumeFor(outcome.grant))
    return { session }
  }

  return {
    adopt({ playing }) {
      const adopted = new Set<string>()
      for (const one of playing) {
        const { session, limited } = one
        if (!stored.isFree(one)) continue
        if (memory.limit?.enterAgain(session, limited, 'adopted', PLAYS) === false) continue
        stored.take(one, 'adopted')
        memory.sessions.adopt(session)
        adopted.add(session.id)
      }
      return adopted
    },

    async resume({ silent }, identity, askUntil, isHead) {
      let last: Resumed = {}
      for (const one of silent.toReversed()) {
        const now = clock()
        const { id, dueAt } = one.session
        const isTooLate = now >= dueAt && now > askUntil
        if (isTooLate || whyNotResumed(one, identity, now) !== undefined) continue
        const own = isOwn(one.session, identity)
        const tokenless = !own && !identity.credential
        last = await (resuming.join(id) ?? resuming.start(id, goOn(one, { isHead, tokenless })))
        if (own) last = { ...last, isOwn: true }
        const isSettled = last.session !== undefined || last.isOverLimit === true || own
        // A deny says nothing of the session of a neighbour.
        if (isSettled || (last.outcome && last.outcome.kind !== 'deny')) break
      }
      return last
    },
  }
}

/** Why a request does not resume a silent session. `uncovered`: the session is about something else. */
type NotResumed = 'uncovered' | 'too-late' | 'without-credential'

/**
 * Undefined when it may resume it. The session's own URL, or its credential, may do so for longer than a
 * request without any.
 */
export function whyNotResumed(
  { session, resumableUntil }: StoredSession,
  asked: Identity,
  now: number,
): NotResumed | undefined {
  const own = isOwn(session, asked)
  // Only a new answer of the backend brings a cookie.
  if (lacksCookie(session, asked) && isPlaylist(asked.path)) return 'uncovered'
  if (!answers(session, asked)) return 'uncovered'
  if (now > resumableUntil) return 'too-late'
  const isInTime =
    own ||
    asked.credential ||
    hasCookieOf(session, asked) ||
    now - session.lastSeen <= RESUME_WITHOUT_CREDENTIAL
  return isInTime ? undefined : 'without-credential'
}
