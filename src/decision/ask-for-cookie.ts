import { lacksCookie } from '../session/answers.ts'
import type { Identity } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Outcome } from '../verdict.ts'
import type { DecideOptions } from './decide.ts'
import type { GiveCookie } from './give-cookie.ts'
import type { Keep } from './keep.ts'

/**
 * The URL that opened a strict session is requested without its cookie: by a player that keeps none, by a
 * browser that has lost it, or by a second box of the household. The verdict stays, but only a new answer of
 * the backend brings a cookie. Undefined where nobody has to ask.
 */
type AskForCookie = (
  session: Session,
  identity: Identity,
  subrequest: Subrequest,
  now: number,
) => Promise<Decision> | undefined

/** The same URL is asked about again so long after a cookie was asked for; milliseconds. */
const AGAIN = 1_000

/** Keeps the outcome of a question about a request, and answers it. */
export type Settle = (
  identity: Identity,
  subrequest: Subrequest,
  sessionId: string,
  outcome: Outcome,
  began: number,
  repeats?: boolean,
) => Promise<Decision>

interface AskForCookieOptions extends Pick<DecideOptions, 'ask' | 'clock' | 'outage' | 'onDecision'> {
  readonly keep: Keep
  readonly give: GiveCookie
  readonly answerBy: (session: Session, identity: Identity, now: number) => Decision
  readonly settle: Settle
  readonly newSessionId: () => string
}

export function createAskForCookie(options: AskForCookieOptions): AskForCookie {
  const { ask, clock, outage, onDecision, keep, give, answerBy, settle } = options

  const askAbout = async (
    session: Session,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision> => {
    const { id: sessionId, viewer: knownViewer } = session
    const { credential } = identity
    const outcome = await ask({ subrequest, sessionId, occasion: 'question', credential, knownViewer })
    // It was ended meanwhile, so the request is one like any other.
    if (session.ended) return settle(identity, subrequest, options.newSessionId(), outcome, began)
    const now = clock()
    outage.note(outcome, now)
    if (outcome.kind !== 'allow') return answerBy(session, identity, now)
    // Before the allow is kept: the store is told of both at once.
    const newCookie = give.toKnown(session, identity, subrequest)
    const decision = keep.fromRecheck(session, outcome, now)
    const { backend } = outcome
    onDecision({ subrequest, decision, backend, occasion: 'question', took: now - began })
    return newCookie === undefined ? decision : { ...decision, newCookie }
  }

  return (session, identity, subrequest, now) => {
    const { secret } = session
    if (identity.cookieMode !== 'strict' || secret === undefined || !lacksCookie(session, identity))
      return undefined
    if (!isPlaylist(identity.path) || now - secret.askedAt < AGAIN) return undefined
    secret.askedAt = now
    return askAbout(session, identity, subrequest, now)
  }
}
