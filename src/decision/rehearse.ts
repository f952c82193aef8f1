import type { Identity } from '../session/identity.ts'
import { Session } from '../session/session.ts'
import { createSessionTable, type SessionTable } from '../session/session-table.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import { createDecide, type DecideOptions, type DecisionMade } from './decide.ts'
import type { Denial } from './memory.ts'
import type { Recalled, StoredSession } from './stored.ts'

/** What would be decided about a request, and the facts that decide it. */
export interface Rehearsal {
  readonly identity: Identity
  /** A copy of the session that answers the request, as it was before the rehearsal. */
  readonly session: Session | undefined
  /** The remembered deny of this exact request, fresh or stale. */
  readonly denial: Denial | undefined
  /** What the store holds of the viewer, as copies; undefined where it was not asked, or did not answer. */
  readonly recalled: Recalled | undefined
  readonly decision: Decision
  /**
   * The decision that follows from the backend's answer: about the request, or about its session in the
   * background. Undefined where the backend is not asked.
   */
  readonly made: DecisionMade | undefined
}

/**
 * Decides as the gate would, with the same code, but works on copies: no session is opened, touched or ended,
 * and nothing is remembered. `options.ask` is called where the gate would ask a backend.
 */
export async function rehearse(options: DecideOptions, subrequest: Subrequest): Promise<Rehearsal> {
  const { denials } = options
  const now = options.clock()
  const identity = options.identify(subrequest)
  const denial = denials.peek(identity, now)
  let session: Session | undefined
  let recalled: Recalled | undefined
  let made: DecisionMade | undefined
  let recheck: Promise<void> | undefined
  /** Sessions that the store would bring back. */
  const returned = createSessionTable({
    max: Number.POSITIVE_INFINITY,
    maxBytes: Number.POSITIVE_INFINITY,
    idle: Number.POSITIVE_INFINITY,
  })

  /** The same table, read-only: it returns copies of its sessions and ignores every change. */
  const unchanged = (table: SessionTable): SessionTable => ({
    ...table,
    find(asked, at) {
      const counts = (one: Session): boolean => !options.outage.hasExpired(one, at)
      const known = table.peek(asked, at, counts)
      // That of the store is a copy already, and `adopt` has named this very object.
      const found = known === undefined ? returned.peek(asked, at, counts) : snapshotOf(known)
      if (found !== undefined) session = snapshotOf(found)
      return found
    },
    keep() {},
    open() {},
    admit() {},
    adopt: returned.adopt,
    setCookies() {},
    end() {},
    handOver() {},
    overdue: () => [],
  })

  const decide = createDecide({
    ...options,
    sessions: unchanged(options.sessions),
    provisional: unchanged(options.provisional),
    denials: { ...denials, find: denials.peek, keep() {}, forget() {} },
    outage: { ...options.outage, note() {} },
    limit: options.limit?.rehearsal(),
    stored: options.stored && {
      ...options.stored,
      recall(asked) {
        return options.stored?.recall(asked)?.then((found) => {
          recalled = found && copyOf(found)
          return found && copyOf(found)
        })
      },
      take(one, as) {
        if (as === 'resumed') session = snapshotOf(one.session)
        return true
      },
      granted() {},
      postponed() {},
      async end() {},
    },
    onDecision(one) {
      if (one.occasion !== 'return') made ??= one
    },
    onBadDuration() {},
    onRecheck(finished) {
      recheck = finished
    },
  })
  const decision = await decide(subrequest)
  await recheck
  return { identity, session, denial, recalled, decision, made }
}

/** Others who look at the same time get the same sessions. */
function copyOf({ playing, silent }: Recalled): Recalled {
  const copy = (one: StoredSession): StoredSession => ({ ...one, session: snapshotOf(one.session) })
  return { playing: playing.map(copy), silent: silent.map(copy) }
}

function snapshotOf(session: Session): Session {
  const copy = Object.assign(Object.create(Session.prototype) as Session, session)
  copy.older = undefined
  copy.lessRecent = undefined
  copy.moreRecent = undefined
  return copy
}
