import { hasCookieOf } from '../session/answers.ts'
import { clientIn, type Identity } from '../session/identity.ts'
import { Session } from '../session/session.ts'
import { createFlights } from './flights.ts'
import type { Memory } from './memory.ts'
import type { Terms } from './terms.ts'

interface SecondPlaceOptions {
  readonly memory: Memory
  readonly terms: Pick<Terms, 'resumeFor'>
  readonly newSessionId: () => string
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/**
 * The session of a cookie's second place, where the number of a user counts. Undefined: there is no room for
 * it.
 */
type SecondPlace = (
  session: Session,
  identity: Identity,
  now: number,
) => Promise<Session | undefined> | undefined

/**
 * A viewer with a cookie may go from one address to another: that is one play. But a cookie that is sent from
 * two places at once may have been handed on. Then the second place plays for itself, with a session of its
 * own. Nobody gives way to it: it has shown no credential.
 *
 * The result is undefined nearly always: without a promise the session that was found answers.
 */
export function createSecondPlace({ memory, terms, newSessionId, clock }: SecondPlaceOptions): SecondPlace {
  const { sessions, stored } = memory
  const opening = createFlights<Session | undefined>()

  const open = async (session: Session, identity: Identity): Promise<Session | undefined> => {
    const { limit } = memory
    const opener = { ...session.opener(), address: identity.address }
    const twin = new Session(asOpener(session, identity), opener, newSessionId(), clock(), session.scope)
    twin.userId = session.userId
    twin.dueAt = session.dueAt
    twin.failure = session.failure
    const cookies = [identity.cookie ?? '']
    twin.secret = session.secret && { ...session.secret, cookies, onlyFrom: clientIn(identity.viewer) }
    const by = { isHead: false, tokenless: true }
    const hasPlace = await limit?.enterAgain(twin, limit.limitedOf(session), 'resumed', by)
    if (hasPlace === false || session.ended) return undefined
    const now = clock()
    twin.openedAt = now
    sessions.open(twin, now)
    stored?.granted(twin, terms.resumeFor({}))
    return twin
  }

  return (session, identity, now) => {
    const { secret } = session
    const { cookie } = identity
    if (cookie === undefined || secret?.onlyFrom !== '' || !hasCookieOf(session, identity)) return undefined
    const client = clientIn(identity.viewer)
    if (!sessions.isSecondPlace(cookie, client, now)) return undefined
    if (memory.limit?.limitedOf(session) === undefined) return undefined
    const key = `${session.id}\n${cookie}\n${client}`
    return opening.join(key) ?? opening.start(key, open(session, identity))
  }
}

/** The request that opened a session, as if its viewer had sent it from this place. */
function asOpener(session: Session, identity: Identity): Identity {
  const { query, profile, channel, path, pathCredential } = session
  return { ...identity, query, profile, channel, path, pathCredential }
}
