import { randomFillSync } from 'node:crypto'
import type { Subrequest } from '../subrequest.ts'
import type { UnavailableReason } from '../verdict.ts'
import { clientIn, type Identity, type Profile } from './identity.ts'
import type { Opened, Scope } from './scope.ts'

/** A re-check that got no answer. Times are milliseconds of the monotonic clock. */
interface Failure {
  readonly reason: UnavailableReason
  readonly at: number
  /** Until then the last allow counts without an answer. */
  readonly holdsUntil: number
}

/** What a session knows of the session cookie; only those have it that were opened where cookies are on. */
export interface SessionSecret {
  /**
   * The keys of the cookies that open it from any address, the newest last: one, or more where several boxes
   * of a household have opened it with the same URL. None for a film or a stream. Never changed in place.
   */
  cookies: readonly string[]
  /** Those of them that a request has carried. */
  sent: readonly string[]
  /** Nothing rides on it without a cookie. */
  readonly isStrict: boolean
  /** That which the opening request carried and the gate knew; empty where there was none. */
  carried: string
  /** It answers its cookies from this client alone; empty = from anywhere. See decision/second-place.ts. */
  readonly onlyFrom: string
  /** When a cookie was asked for last; milliseconds of the monotonic clock. */
  askedAt: number
  /** A rider came without a cookie. */
  wasMissed: boolean
}

/** A secret with these cookies, which may have been sent before. `now` is monotonic milliseconds. */
export function secretOf(
  cookies: readonly string[],
  isStrict: boolean,
  onlyFrom: string,
  now: number,
): SessionSecret {
  return { cookies, sent: [], carried: '', isStrict, onlyFrom, askedAt: now, wasMissed: false }
}

/** Bytes of that, and of the index of cookies (npm run measure:memory -- 50000 cookie). */
const SECRET_BYTES = 950

/**
 * Bytes that a session takes besides its texts: about 330 on the heap, the table's index included, an address
 * of its own where it has one, and the space that V8 leaves free around them (npm run measure:memory).
 */
const OVERHEAD = 440

/** Why a session ended. */
export const sessionEnds = [
  'idle', // silent for SESSION_IDLE
  'denied', // a re-check was denied
  'expired', // its backend was unavailable for longer than STALE_TTL
  'evicted', // pushed out by MAX_SESSIONS or SESSION_MEMORY, or by its own viewer's other sessions
  'closed', // by the operator
  'displaced', // its user has more sessions than the backend allows
  'shared', // its session cookie was sent from two places
  'moved', // it goes on at another gate, or another gate has told its end
] as const
export type SessionEnd = (typeof sessionEnds)[number]

/**
 * One viewer who plays one channel, opened by an allow. Times are whole milliseconds of the monotonic clock.
 *
 * There may be a million sessions, so they share equal texts. It is a class because objects of an object
 * literal take a fifth more memory in V8 (npm run measure:memory).
 */
export class Session implements Opened {
  /** Random and constant; `X-Session-Id` for the backend and for nginx's log. */
  readonly id: string
  readonly viewer: string
  readonly profile: Profile
  readonly scope: Scope
  /** The canonical query of the request that opened it. */
  readonly query: string
  /** The query of that request, as sent. */
  readonly sentQuery: string
  /** Opened by the default action, not by a backend. */
  provisional: boolean
  userId: string
  /** When it was opened, or resumed. */
  openedAt: number
  /** When it last answered a request, or its own URL was requested. */
  lastSeen: number
  /** As `lastSeen`, or when another session answered in its place. Its idle time starts here. */
  activeAt: number
  /** How many requests it has answered, the opening one included. */
  requests: number
  /** From then on the next request starts a re-check. */
  dueAt: number
  /** A re-check is on its way. */
  checking: boolean
  /** The last re-check, if it got no answer. */
  failure: Failure | undefined
  ended: boolean
  secret: SessionSecret | undefined
  /** The viewer's next older session; only the table writes this, as the two below. */
  older: Session | undefined
  /** Its neighbours among the sessions of all viewers, in order of `activeAt`. */
  lessRecent: Session | undefined
  moreRecent: Session | undefined
  /** Its address where that is not the client in `viewer`: most IPv4 sessions need no text of their own. */
  ownAddress: string | undefined
  /** The end of its last pause. Most have none, and V8 keeps each number of its own in 16 bytes beside. */
  cameBackAt: number | undefined

  /** A session that holds no grant yet. */
  constructor(identity: Identity, opener: Subrequest, id: string, now: number, scope: Scope) {
    this.id = id
    this.viewer = copyOf(identity.viewer)
    this.profile = identity.profile
    this.scope = scope
    this.sentQuery = copyOf(opener.query)
    this.query = partOf(this.sentQuery, identity.query)
    this.provisional = false
    this.userId = ''
    this.openedAt = now
    this.lastSeen = now
    this.activeAt = now
    this.requests = 1
    this.dueAt = now
    this.checking = false
    this.failure = undefined
    this.ended = false
    this.secret = undefined
    this.older = undefined
    this.lessRecent = undefined
    this.moreRecent = undefined
    this.ownAddress = undefined
    this.cameBackAt = undefined
    this.address = identity.address
  }

  /** Since when it has been requested without a pause of PAUSE. */
  get since(): number {
    return this.cameBackAt ?? this.openedAt
  }

  set since(since: number) {
    this.cameBackAt = since
  }

  /** The client address of its last request: what people see, and what a re-check sends. */
  get address(): string {
    return this.ownAddress ?? clientIn(this.viewer)
  }

  set address(address: string) {
    this.ownAddress = address === clientIn(this.viewer) ? undefined : copyOf(address)
  }

  /** The address of its viewer, or the group around it, when it was opened. */
  get client(): string {
    return clientIn(this.viewer)
  }

  get channel(): string | undefined {
    return this.scope.channel
  }

  get path(): string {
    return this.scope.path
  }

  get pathCredential(): string | undefined {
    return this.scope.pathCredential
  }

  get directory(): string | undefined {
    return this.scope.directory
  }

  /** Its place among all sessions, 0 to 1: random, since its id is, and constant. */
  get place(): number {
    const number = [0, 1, 2, 3, 4].reduce((sum, at) => sum * 64 + this.id.charCodeAt(at), 0)
    return (number % 9973) / 9973
  }

  /** An upper estimate of the memory it takes: shared texts are counted for each session. */
  get bytes(): number {
    const { origin, site = '', userAgent, playbackId } = this.profile
    const shared = this.path.length + origin.length + site.length + userAgent.length + playbackId.length
    const own = this.sentQuery.includes(this.query) ? this.sentQuery : this.sentQuery + this.query
    const { pathCredential, shownPath } = this.scope
    const credential = pathCredential === undefined ? 0 : pathCredential.length + shownPath.length
    const secret = this.secret === undefined ? 0 : SECRET_BYTES
    return OVERHEAD + this.viewer.length + own.length + shared + credential + secret
  }

  /** It was silent, and is requested again. */
  resume(now: number): void {
    this.openedAt = now
    this.cameBackAt = undefined
    this.requests = 1
  }

  /**
   * The request that opened the session; every re-check sends it again, with the address that the viewer has
   * now: a middleware that looks at addresses is to judge where they play.
   */
  opener(): Subrequest {
    const { origin, site, userAgent, playbackId } = this.profile
    const { address, path, sentQuery: query } = this
    const opener = { address, origin, path, query, userAgent, playbackId }
    return site === undefined ? opener : { ...opener, site }
  }
}

/** `part` as a slice of `whole`, which shares its memory, or as a copy where `whole` does not contain it. */
function partOf(whole: string, part: string): string {
  const at = whole.indexOf(part)
  return at === -1 ? copyOf(part) : whole.slice(at, at + part.length)
}

const ID_BYTES = 16
/** Filled for many ids at once: a call of the system for each would be a large part of a question's cost. */
const randomness = Buffer.alloc(ID_BYTES * 256)
let drawn = randomness.length

/** 128 random bits as 22 base64url characters: cannot be guessed, short enough for headers and logs. */
export function newSessionId(): string {
  if (drawn === randomness.length) {
    randomFillSync(randomness)
    drawn = 0
  }
  drawn += ID_BYTES
  return randomness.toString('base64url', drawn - ID_BYTES, drawn)
}

/** Longer than any accepted query or path. One buffer for all copies: more would be garbage off the heap. */
const scratch = Buffer.alloc(16_384)

/** A copy of an ASCII text. A slice of a string would keep the whole string in memory. */
export function copyOf(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1')
  return scratch.toString('latin1', 0, scratch.write(text, 'latin1'))
}
