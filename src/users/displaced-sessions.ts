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
      const { viewer } = one.session
      const others = ofViewer.get(viewer)?.all ?? []
      ofViewer.set(viewer, { all: [...others, one].slice(-MOST_OF_ONE), at: now })
    },
    find(identity, now) {
      if (ofViewer.size === 0) return undefined
      const known = ofViewer.peek(identity.viewer)
      const found = findIn(known, identity, now)
      if (known !== undefined && found !== undefined) ofViewer.set(identity.viewer, { ...known, at: now })
      return found
    },
    peek: (identity, now) => findIn(ofViewer.peek(identity.viewer), identity, now),
    forget({ viewer, scope }) {
      const known = ofViewer.get(viewer)
      if (known === undefined) return
      const all = known.all.filter(({ session }) => !covers(scope, session.scope))
      if (all.length === 0) ofViewer.delete(viewer)
      else ofViewer.set(viewer, { ...known, all })
    },
  }
}
