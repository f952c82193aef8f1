import { lacksCookie } from '../session/answers.ts'
import type { Identity } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import type { Decide, DecideOptions } from './decide.ts'
import type { GiveCookie } from './give-cookie.ts'
import type { Keep } from './keep.ts'

/**
 * The URL that opened a strict session is requested without its cookie: by a player that keeps none, by a
 * browser that has lost it, or by a second box of the household. The verdict stays, but only a new answer of
 * the backend brings a cookie. Undefined where nobody has to ask.
 */
export type AskForCookie = (
  session: Session,
  identity: Identity,
  subrequest: Subrequest,
  now: number,
) => Promise<Decision> | undefined

/** The same URL is asked about again so long after a cookie was asked for; milliseconds. */
const AGAIN = 1_000

export function createAskForCookie(
  options: Pick<DecideOptions, 'ask' | 'clock' | 'outage' | 'onDecision'>,
  keep: Keep,
  give: GiveCookie,
  answerBy: (session: Session, identity: Identity, now: number) => Decision,
  decide: Decide,
): AskForCookie {
  const { ask, clock, outage, onDecision } = options

  const askAbout = async (
    session: Session,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision> => {
    const { id: sessionId, viewer: knownViewer } = session
    const { credential } = identity
    const outcome = await ask({ subrequest, sessionId, occasion: 'question', credential, knownViewer })
    const now = clock()
    outage.note(outcome, now)
    if (session.ended) return decide(subrequest)
    if (outcome.kind !== 'allow') return answerBy(session, identity, now)
    const decision = keep.fromRecheck(session, outcome, now)
    const { backend } = outcome
    onDecision({ subrequest, decision, backend, occasion: 'question', took: now - began })
    const newCookie = give.toKnown(session, identity, subrequest)
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
