import type { Limited } from '../decision/limit.ts'
import type { Return } from '../decision/stored.ts'
import { clientIn, type Identity, type Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import { Session, type SessionSecret, secretOf } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import { cookiesOf, type SessionRecord } from './record.ts'
import { AFTER_ALLOW, AFTER_LEAVING } from './silence.ts'
import type { SessionChange } from './store-engine.ts'
import type { Vault } from './vault.ts'

/** How a session stands in the store. */
export interface Standing {
  /** 1, and one more for each time that it was resumed. */
  readonly part: number
  readonly came: 'opened' | Return
}

/** A session and what only the store needs to know of it. Times are milliseconds of the monotonic clock. */
export interface Kept extends Standing {
  readonly session: Session
  part: number
  /** When a backend last allowed it. */
  allowedAt: number
  /** How long after its last request it may be resumed, in milliseconds. */
  resumeFor: number
  /** What counted for its user, when it was in no table. */
  limited: Limited | undefined
  /** When the store was told of it last, or there was nothing to tell. */
  toldAt: number
  /**
   * The counter of the store when it opened, which later marks exceed. Undefined: this process did not know
   * the counter yet.
   */
  number: number | undefined
  /** When this gate began to serve it. */
  from: number
  /** Its end has been told, but it may be resumed. */
  silent: boolean
  /** Its viewer has gone on to another place; it is known when it goes silent. */
  hasLeft: boolean
  /** It has ended for good. */
  removed: boolean
}

/** The two clocks: the time of the store is the monotonic one and this offset. */
export interface StoreClock {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Whole milliseconds from the monotonic clock to that of the store; 0 before the store was open. */
  offset: number
}

export function recordOf(kept: Kept, { offset }: StoreClock): SessionRecord {
  const { limited } = kept
  const { session } = kept
  const { id, viewer, address, path, sentQuery, userId, requests, dueAt, failure, secret } = session
  const { origin, site, userAgent, playbackId } = session.profile
  return {
    id,
    viewer,
    ...(address !== clientIn(viewer) && { address }),
    ...(secret && secretFields(secret)),
    origin,
    ...(site !== undefined && { site }),
    path,
    query: sentQuery,
    userAgent,
    playbackId,
    user: userId,
    openedAt: session.openedAt + offset,
    lastSeen: session.lastSeen + offset,
    activeAt: session.activeAt + offset,
    requests,
    dueAt: dueAt === Number.POSITIVE_INFINITY ? null : dueAt + offset,
    ...(failure && {
      failure: {
        reason: failure.reason,
        at: failure.at + offset,
        // With ALLOW_TTL=session an allow holds for ever, which JSON cannot say.
        holdsUntil: Math.min(failure.holdsUntil + offset, Number.MAX_SAFE_INTEGER),
      },
    }),
    allowedAt: kept.allowedAt + offset,
    resumeFor: kept.resumeFor,
    ...(limited && { limited: { ...limited, entered: limited.entered + offset } }),
    part: kept.part,
    silent: kept.silent,
    number: kept.number ?? 0,
  }
}

function secretFields({ cookies, isStrict, onlyFrom }: SessionSecret): Partial<SessionRecord> {
  return { cookies: cookies.join(' '), ...(isStrict && { isStrict }), ...(onlyFrom !== '' && { onlyFrom }) }
}

/** What is written again after SESSION_IDLE may be late by so many milliseconds. */
const LATE = 1_000

/** What the store is told of it. @param idle SESSION_IDLE in milliseconds */
export function changeOf(kept: Kept, vault: Vault, clock: StoreClock, idle: number): SessionChange {
  const { session, silent } = kept
  return {
    viewer: vault.viewer(session.viewer),
    id: session.id,
    state: !silent ? 'playing' : kept.hasLeft ? 'left' : 'silent',
    value: vault.record(recordOf(kept, clock)),
    credential: vault.credential(session.query, session.pathCredential),
    keepFor: Math.max(1_000, expiryOf(kept, idle) - clock.now()),
  }
}

/** Until when its record is needed, in milliseconds of the monotonic clock. @param idle SESSION_IDLE */
export function expiryOf({ session, silent, hasLeft, allowedAt, resumeFor }: Kept, idle: number): number {
  const { lastSeen, activeAt } = session
  if (!silent) return activeAt + idle + resumeFor + LATE
  const resumable = hasLeft ? Math.min(resumeFor, AFTER_LEAVING) : resumeFor
  return Math.min(lastSeen + resumable, allowedAt + AFTER_ALLOW)
}

/** Builds the session of a record again; undefined where its request would be another viewer's today. */
export type Rebuild = (record: SessionRecord, clock: StoreClock) => Kept | undefined

/** The arguments read a request as the gate does. */
export function createRebuild(
  identify: (subrequest: Subrequest) => Identity,
  scopeOf: (target: Target) => Scope,
): Rebuild {
  return (record, { now, offset }) => {
    const { viewer, origin, site, path, query, userAgent, playbackId, failure, resumeFor, part, silent } =
      record
    const { cookies = '', isStrict = false, onlyFrom = '', address = clientIn(viewer) } = record
    const sent = { address, origin, path, query, userAgent, playbackId }
    const opener = site === undefined ? sent : { ...sent, site }
    const asked = identify(opener)
    // Who has a cookie may have moved since the session was opened.
    const isSame = cookies === '' ? asked.viewer === viewer : viewer.endsWith(` ${asked.profile.key}`)
    if (!isSame) return undefined
    const identity = { ...asked, viewer }
    const session = new Session(identity, opener, record.id, record.openedAt - offset, scopeOf(identity))
    session.userId = record.user
    if (record.cookies !== undefined) session.secret = secretOf(cookiesOf(record), isStrict, onlyFrom, now())
    session.lastSeen = record.lastSeen - offset
    session.since = (record.limited?.entered ?? record.openedAt) - offset
    session.activeAt = record.activeAt - offset
    session.requests = record.requests
    session.dueAt = record.dueAt === null ? Number.POSITIVE_INFINITY : record.dueAt - offset
    if (failure !== undefined) {
      const { reason, at, holdsUntil } = failure
      session.failure = { reason, at: at - offset, holdsUntil: holdsUntil - offset }
    }
    // It is in no table.
    session.ended = true
    const allowedAt = record.allowedAt - offset
    return {
      session,
      allowedAt,
      resumeFor,
      part,
      silent,
      limited: record.limited && { ...record.limited, entered: record.limited.entered - offset },
      came: 'opened',
      toldAt: now(),
      number: record.number ?? 0,
      from: now(),
      removed: false,
      hasLeft: false,
    }
  }
}
