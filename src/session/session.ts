import { randomFillSync } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Subrequest } from '../subrequest.ts'
import type { UnavailableReason } from '../verdict.ts'
import { addressOf, type Identity, type Profile } from './identity.ts'
import type { Scope } from './scope.ts'

/** A question about a session that got no answer. */
export interface Failure {
  readonly reason: UnavailableReason
  readonly at: number
  /** How long the verdict holds without an answer. */
  readonly holdsUntil: number
}

/**
 * Bytes that a session takes besides its texts: some 310 on the heap, in the table's index too, and what V8 leaves free around them
 * (npm run measure:memory).
 */
const OVERHEAD = 400

/** Why a session ended. */
export const sessionEnds = [
  'idle', // silent for SESSION_IDLE
  'denied', // a re-check was denied
  'expired', // its backend was unavailable for longer than STALE_TTL
  'evicted', // pushed out by MAX_SESSIONS or SESSION_MEMORY, or by its own viewer's other sessions
  'closed', // by the operator
] as const
export type SessionEnd = (typeof sessionEnds)[number]

/**
 * One viewer playing one channel: what a past allow opened. Times are whole milliseconds of the monotonic clock.
 *
 * There may be a million of these, so they share the texts that they have in common. A class, since V8 allocates a literal that mostly
 * survives among its dead neighbours, which costs a fifth more memory (npm run measure:memory shows it).
 */
export class Session implements Scope {
  /** Random, the same for the life of the session; `X-Session-Id` for the backend and for nginx's log. */
  readonly id: string
  readonly viewer: string
  readonly profile: Profile
  private readonly scope: Scope
  /** The canonical query of the request that opened it. */
  readonly query: string
  /** The query of that request as it was sent. */
  readonly sentQuery: string
  /** Opened by the default action, not by a backend. */
  provisional: boolean
  userId: string
  readonly openedAt: number
  /** When it answered a request last, or its own URL was asked for. */
  lastSeen: number
  /** As `lastSeen`, and when it could have answered a request that another session did: until SESSION_IDLE after this it lives. */
  heardAt: number
  /** How many requests it has answered, the opener's included. */
  requests: number
  /** From then on the next request starts a re-check. */
  dueAt: number
  /** A re-check is on its way. */
  checking: boolean
  /** The last re-check, if it got no answer. */
  failure: Failure | undefined
  ended: boolean
  /** The viewer's next older session; kept by the table, as the two below. */
  older: Session | undefined
  /** The sessions that were heard of just before and just after this one, whoever's they are. */
  heardBefore: Session | undefined
  heardAfter: Session | undefined

  /** A session that nobody has granted anything yet. */
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
    this.heardAt = now
    this.requests = 1
    this.dueAt = now
    this.checking = false
    this.failure = undefined
    this.ended = false
    this.older = undefined
    this.heardBefore = undefined
    this.heardAfter = undefined
  }

  get channel(): string | undefined {
    return this.scope.channel
  }

  get path(): string {
    return this.scope.path
  }

  get directory(): string | undefined {
    return this.scope.directory
  }

  /** About how much memory it takes; never too little, since texts that sessions share are counted for each of them. */
  get bytes(): number {
    const { origin, userAgent, playbackId } = this.profile
    const shared = this.path.length + origin.length + userAgent.length + playbackId.length
    const own = this.sentQuery.includes(this.query) ? this.sentQuery : this.sentQuery + this.query
    return OVERHEAD + this.viewer.length + own.length + shared
  }

  /** The request that opened the session: every re-check asks with it. */
  opener(): Subrequest {
    const { origin, userAgent, playbackId } = this.profile
    const { path, sentQuery: query } = this
    return { address: addressOf(this.viewer), origin, path, query, userAgent, playbackId }
  }
}

/** A text of its own only where it is no part of the whole: a slice shares the memory of that. */
function partOf(whole: string, part: string): string {
  const at = whole.indexOf(part)
  return at === -1 ? copyOf(part) : whole.slice(at, at + part.length)
}

const ID_BYTES = 16
/** Drawn for many ids at once: asking the system for each would be a good part of what a question costs. */
const randomness = Buffer.alloc(ID_BYTES * 256)
let drawn = randomness.length

/** 128 random bits: unguessable, short enough for headers and logs. */
export function newSessionId(): string {
  if (drawn === randomness.length) {
    randomFillSync(randomness)
    drawn = 0
  }
  drawn += ID_BYTES
  return randomness.toString('base64url', drawn - ID_BYTES, drawn)
}

/**
 * Sessions in the order in which they were last heard of, as a list through the sessions themselves: a cache beside them would cost a
 * second index entry for each, and a look-up for each touch.
 */
export interface Recency {
  /** Puts a session in front, whether it is in the list or not. */
  touch(session: Session): void
  remove(session: Session): void
  /** The one that was silent longest. */
  last(): Session | undefined
  /** From the one in front to the last. */
  all(): Iterable<Session>
}

export function createRecency(): Recency {
  let first: Session | undefined
  let last: Session | undefined

  const remove = (session: Session): void => {
    const { heardBefore, heardAfter } = session
    if (heardAfter !== undefined) heardAfter.heardBefore = heardBefore
    else if (first === session) first = heardBefore
    if (heardBefore !== undefined) heardBefore.heardAfter = heardAfter
    else if (last === session) last = heardAfter
    session.heardBefore = undefined
    session.heardAfter = undefined
  }

  return {
    touch(session) {
      if (first === session) return
      remove(session)
      session.heardBefore = first
      if (first !== undefined) first.heardAfter = session
      first = session
      last ??= session
    },
    remove,
    last: () => last,
    *all() {
      for (let at = first; at !== undefined; at = at.heardBefore) yield at
    },
  }
}

/** Gives each key a turn now and then. */
export interface Turns {
  /** Whether it is the key's turn; if so, its next one comes `every` milliseconds later. */
  take(key: string, now: number): boolean
}

/** Remembers the `max` keys that came last; any other has its turn at once. */
export function createTurns(every: number, max: number): Turns {
  const taken = new LRUCache<string, number>({ max })
  return {
    take(key, now) {
      const last = taken.get(key)
      if (last !== undefined && now - last < every) return false
      taken.set(key, now)
      return true
    },
  }
}

/** Longer than any query or path that is taken; a buffer for each copy would be garbage outside of the heap. */
const scratch = Buffer.alloc(16_384)

/** A slice of a string keeps the whole string alive, a copy does not. For ASCII texts. */
export function copyOf(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1')
  return scratch.toString('latin1', 0, scratch.write(text, 'latin1'))
}
