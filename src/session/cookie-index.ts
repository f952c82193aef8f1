import type { Session } from './session.ts'

/** The sessions of each session cookie, and from where it is sent. */
export interface CookieIndex {
  /** The one that was opened, or whose own URL was requested last, is last. Never changed in place. */
  of(cookie: string): readonly Session[]
  /** Adds it as the last one, or moves it there. */
  putLast(session: Session): void
  remove(session: Session): void
  /**
   * The cookie is sent from this client, an address or its group. `now` is monotonic milliseconds. Undefined:
   * as it was sent before.
   */
  sentFrom(cookie: string, client: string, now: number): Elsewhere | undefined
  /** Whether another client of this one's family was there first, and goes on to send the cookie. */
  isSecondPlace(cookie: string, client: string, now: number): boolean
}

/** What a cookie's new address tells. */
export interface Elsewhere {
  /** It was not sent from there before, or not for a while. */
  readonly isNew: boolean
  /** The other client that has sent it for so long, too, that it must be at two places; told once. */
  readonly sharedWith?: string
}

/** A client that sends the cookie, without a longer break since `since`. */
interface Place {
  readonly client: string
  since: number
  seen: number
}

interface Known {
  sessions: readonly Session[]
  places: readonly Place[]
  last: Place
  isShared: boolean
}

/** Most clients that are remembered of a cookie. */
const MOST_PLACES = 8
/**
 * A client that was silent for so long has gone; milliseconds. A player asks more often, also for long
 * segments.
 */
const GONE = 30_000
/** One IPv4 and one IPv6 are one client. Two of one family at once for so long are two; milliseconds. */
const SHARED = 60_000
/** Who goes from one address to another may send from both for so long; milliseconds. */
const MOVING = 10_000

export function createCookieIndex(): CookieIndex {
  const known = new Map<string, Known>()

  return {
    of: (cookie) => known.get(cookie)?.sessions ?? [],
    putLast(session) {
      for (const cookie of session.secret?.cookies ?? []) {
        const one = known.get(cookie)
        if (one !== undefined) {
          one.sessions = [...without(one, session), session]
          continue
        }
        const place = { client: session.client, since: session.lastSeen, seen: session.lastSeen }
        known.set(cookie, { sessions: [session], places: [place], last: place, isShared: false })
      }
    },
    remove(session) {
      for (const cookie of session.secret?.cookies ?? []) {
        const one = known.get(cookie)
        if (one === undefined) continue
        one.sessions = without(one, session)
        if (one.sessions.length === 0) known.delete(cookie)
      }
    },
    sentFrom(cookie, client, now) {
      const one = known.get(cookie)
      if (one === undefined) return undefined
      if (one.last.client === client && now - one.last.seen <= GONE) {
        one.last.seen = now
        return one.places.length === 1 || one.isShared ? undefined : elsewhere(one, one.last, false)
      }
      const before = one.places.find((place) => place.client === client)
      const isNew = before === undefined || now - before.seen > GONE
      const place = isNew ? { client, since: now, seen: now } : before
      if (isNew)
        one.places = [...one.places.filter((other) => other !== before).slice(1 - MOST_PLACES), place]
      place.seen = now
      one.last = place
      return elsewhere(one, place, isNew)
    },
    isSecondPlace(cookie, client, now) {
      const { places = [] } = known.get(cookie) ?? {}
      const here = places.find((place) => place.client === client)
      if (here === undefined || places.length === 1) return false
      return places.some(
        (place) =>
          isOfOneFamily(place, here) &&
          place.since < here.since &&
          place.seen - here.since > MOVING &&
          now - place.seen <= GONE,
      )
    },
  }
}

function without({ sessions }: Known, session: Session): readonly Session[] {
  return sessions.filter((other) => other !== session)
}

function elsewhere(one: Known, here: Place, isNew: boolean): Elsewhere | undefined {
  const other = one.isShared
    ? undefined
    : one.places.find(
        (place) =>
          isOfOneFamily(place, here) &&
          here.seen - place.seen <= GONE &&
          place.seen - Math.max(place.since, here.since) > SHARED,
      )
  if (other === undefined) return isNew ? { isNew } : undefined
  one.isShared = true
  return { isNew, sharedWith: other.client }
}

function isOfOneFamily(a: Place, b: Place): boolean {
  return a !== b && a.client.includes(':') === b.client.includes(':')
}
