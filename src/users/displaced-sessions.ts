import { LRUCache } from 'lru-cache'
import type { LimitedSession } from '../limit/user.ts'
import { answers } from '../session/answers.ts'
import type { Identity } from '../session/identity.ts'
import { covers } from '../session/scope.ts'
import type { Session } from '../session/session.ts'

/** A session that the limit has ended while it played, or that its viewer had left before. */
export interface DisplacedOne {
  readonly session: Session
  readonly limited: LimitedSession
  /** The key of its user. */
  readonly user: string
}

/** What the limit has ended, so that its viewers get the right reason, and no backend is asked about them. */
export interface DisplacedSessions {
  add(one: DisplacedOne, now: number): void
  /** The latest one that would answer this request. */
  find(identity: Identity, now: number): DisplacedOne | undefined
  /** As `find`, but changes nothing. */
  peek(identity: Identity, now: number): DisplacedOne | undefined
  /** The viewer has opened this session: what it answers is no matter of the displaced ones. */
  forget(session: Session): void
}

/** Most viewers with displaced sessions, most sessions of each, and the bytes of all. */
const MOST_VIEWERS = 10_000
const MOST_OF_ONE = 16
const MOST_BYTES = 16 * 1_048_576
/** What the rules know of a session takes about as many; the session says its own. */
const OVERHEAD = 600

interface OfViewer {
  readonly all: readonly DisplacedOne[]
  readonly at: number
}

/** @param lasts how long each is known after it was displaced or tried last, in milliseconds */
export function createDisplacedSessions(lasts: number): DisplacedSessions {
  const ofViewer = new LRUCache<string, OfViewer>({
    max: MOST_VIEWERS,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ all }) => all.reduce((sum, { session }) => sum + session.bytes + OVERHEAD, 1),
  })
  const findIn = (known: OfViewer | undefined, identity: Identity, now: number): DisplacedOne | undefined =>
    known === undefined || now - known.at > lasts
      ? undefined
      : known.all.findLast(({ session }) => answers(session, identity))
  return {
    add(one, now) {
      for (const name of namesOf(one.session)) {
        const others = ofViewer.get(name)?.all ?? []
        ofViewer.set(name, { all: [...others, one].slice(-MOST_OF_ONE), at: now })
      }
    },
    find(identity, now) {
      if (ofViewer.size === 0) return undefined
      const name = namesIn(identity).find((one) => findIn(ofViewer.peek(one), identity, now) !== undefined)
      const known = name === undefined ? undefined : ofViewer.peek(name)
      if (name === undefined || known === undefined) return undefined
      ofViewer.set(name, { ...known, at: now })
      return findIn(known, identity, now)
    },
    peek: (identity, now) =>
      namesIn(identity)
        .map((name) => findIn(ofViewer.peek(name), identity, now))
        .find((found) => found !== undefined),
    forget(session) {
      for (const name of namesOf(session)) {
        const known = ofViewer.get(name)
        if (known === undefined) continue
        const all = known.all.filter((one) => !covers(session.scope, one.session.scope))
        if (all.length === 0) ofViewer.delete(name)
        else ofViewer.set(name, { ...known, all })
      }
    },
  }
}

/** By which names a displaced session is found: its viewer, and the cookies that it had. */
function namesOf({ viewer, secret }: Session): readonly string[] {
  return [viewer, ...(secret?.cookies ?? []).map(nameOfCookie)]
}

function namesIn({ viewer, cookie }: Identity): readonly string[] {
  return cookie === undefined ? [viewer] : [nameOfCookie(cookie), viewer]
}

function nameOfCookie(cookie: string): string {
  return `cookie ${cookie}`
}
