import { LRUCache } from 'lru-cache'
import { answers } from '../session/answers.ts'
import type { Identity } from '../session/identity.ts'
import { covers } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { LimitedSession } from './user.ts'

/** A session that the limit has ended. */
export interface PutOut {
  readonly session: Session
  readonly limited: LimitedSession
  /** The key of its user. */
  readonly user: string
  /** The session that made it one too many; empty where that is not known. */
  readonly by: string
  /** Milliseconds of the monotonic clock. */
  readonly at: number
}

/** Most viewers with such sessions, most sessions of each, and the bytes of all. */
const MOST_VIEWERS = 10_000
const MOST_OF_ONE = 16
const MOST_BYTES = 16 * 1_048_576
/** What the rules know of a session takes about as many; the session says its own. */
const OVERHEAD = 600

interface OfViewer {
  readonly all: readonly PutOut[]
  readonly at: number
}

/**
 * What the limit has ended, so that its viewers get the right reason, and no backend is asked about them.
 * @param lasts how long each is known after it was put out or tried last, in milliseconds
 */
export function createPutOutSessions(lasts: number) {
  const ofViewer = new LRUCache<string, OfViewer>({
    max: MOST_VIEWERS,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ all }) => all.reduce((sum, { session }) => sum + session.bytes + OVERHEAD, 1),
  })

  /** The latest one that would answer this request. The try counts, unless `isPeek`. */
  const find = (identity: Identity, now: number, isPeek: boolean) => {
    const { viewer, cookie } = identity
    if (ofViewer.size === 0) return undefined
    for (const name of cookie === undefined ? [viewer] : [nameOfCookie(cookie), viewer]) {
      const known = ofViewer.peek(name)
      if (known === undefined || now - known.at > lasts) continue
      const found = known.all.findLast(({ session }) => answers(session, identity))
      if (found === undefined) continue
      if (!isPeek) ofViewer.set(name, { ...known, at: now })
      return found
    }
    return undefined
  }

  return {
    add(one: PutOut): void {
      for (const name of namesOf(one.session)) {
        const others = ofViewer.get(name)?.all ?? []
        ofViewer.set(name, { all: [...others, one].slice(-MOST_OF_ONE), at: one.at })
      }
    },
    find: (identity: Identity, now: number) => find(identity, now, false),
    peek: (identity: Identity, now: number) => find(identity, now, true),
    /** The viewer has opened this session: what it answers is no matter of those that were put out. */
    forget(session: Session): void {
      for (const name of namesOf(session)) {
        const known = ofViewer.get(name)
        const all = known?.all.filter((one) => !covers(session.scope, one.session.scope)) ?? []
        if (known !== undefined && all.length > 0) ofViewer.set(name, { ...known, all })
        else ofViewer.delete(name)
      }
    },
  }
}

/** By which names such a session is found: its viewer, and the cookies that it had. */
function namesOf({ viewer, secret }: Session): readonly string[] {
  return [viewer, ...(secret?.cookies ?? []).map(nameOfCookie)]
}

function nameOfCookie(cookie: string): string {
  return `cookie ${cookie}`
}
