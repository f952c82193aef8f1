import type { Ask } from '../backend/ask-backends.ts'
import type { Exchange } from '../backend/rehearsed-ask.ts'
import type { DecideOptions } from '../decision/decide.ts'
import { type Rehearsal, rehearse } from '../decision/rehearse.ts'
import { whyNotResumed } from '../decision/restore.ts'
import type { StoredSession } from '../decision/stored.ts'
import { refusal, secondsForNginx } from '../gate/gate.ts'
import type { Refusal } from '../gate/read-subrequest.ts'
import { sentenceOf } from '../reason-sentences.ts'
import { createMaskPath, type MaskPath } from '../session/mask-path.ts'
import { createScopeOf, isOwn, isPlaylist, type Scope } from '../session/scope.ts'
import { type SessionView, viewOf } from '../session/session-view.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import { addressHint, type Denied } from './address-hint.ts'
import { type ExplainLimitOptions, explainLimit } from './explain-limit.ts'
import { explainQuestion } from './explain-question.ts'
import { type ExplainStoreOptions, explainStore } from './explain-store.ts'
import type { Explanation } from './explanation.ts'
import { maskQuery } from './mask-query.ts'

/** What explanations are made of. */
interface ExplainOptions extends ExplainStoreOptions, ExplainLimitOptions {
  /** What the gate itself decides with. */
  readonly deciding: Omit<DecideOptions, 'ask'>
  /** Asks as the gate does, but changes nothing in it. `seen` is called with each question and its answer. */
  readonly askInRehearsal: (seen: (exchange: Exchange) => void) => Ask
  /** The sessions of a client address, at most `most`. */
  readonly sessionsOf: (address: string, most: number) => readonly SessionView[]
  /** The latest denials, the newest first. */
  readonly denials: () => readonly Denied[]
  /** The longest time for which nginx's verdict cache may repeat a verdict, in milliseconds. */
  readonly nginxTtl: number
}

/** Explains what would be decided about a request, and why. Changes nothing. */
export type Explain = (read: Subrequest | Refusal) => Promise<Explanation>

const OTHERS = 5

/** Creates the function that explains. It decides with the same code as the gate. */
export function createExplain({
  deciding,
  askInRehearsal,
  sessionsOf,
  denials,
  store,
  limit,
  toIso,
  nginxTtl,
}: ExplainOptions): Explain {
  const scopeOf = createScopeOf(deciding)
  const mask = createMaskPath(deciding)

  const explainKnown = (rehearsal: Rehearsal, address: string): Explanation['known'] => {
    const { identity, session, denial } = rehearsal
    const others = sessionsOf(address, OTHERS + 1).filter((one) => one.session !== session?.id)
    const known = {
      session: null,
      others: others.slice(0, OTHERS),
      store: explainStore({ store, toIso }, rehearsal, deciding.clock()),
      limit: explainLimit({ limit, toIso }, rehearsal),
    }
    if (session !== undefined) {
      const finding = isOwn(session, identity)
        ? 'this very request has opened a session'
        : 'it rides on a session that another request of this viewer has opened'
      return { ...known, kind: 'session', finding, session: viewOf(session, toIso) }
    }
    if (denial !== undefined) {
      const { source, reason } = denial.decision
      const left = denial.freshUntil - deciding.clock()
      const age = left > 0 ? `for ${seconds(left)} more` : 'but its time is over'
      return {
        ...known,
        kind: 'deny',
        finding: `a deny of this very request is remembered (${source}, ${reason}), ${age}`,
      }
    }
    return {
      ...known,
      kind: 'nothing',
      finding: 'no session of this viewer covers it, and no deny of it is remembered',
    }
  }

  return async (read) => {
    if ('refused' in read) return explainRefusal(read)
    const exchanges: Exchange[] = []
    const ask = askInRehearsal((exchange) => exchanges.push(exchange))
    const rehearsal = await rehearse({ ...deciding, ask }, read)
    const { identity, decision } = rehearsal
    const scope = scopeOf(identity)
    return {
      subrequest: { ...described(read), path: scope.shownPath, query: maskQuery(read.query) },
      identity: {
        about: `the ${identity.channel === undefined ? 'path' : 'channel'} ${scope.shownChannel}`,
        query: maskQuery(identity.query),
        credential: identity.credential,
        opens: opensOf(scope, mask),
      },
      known: explainKnown(rehearsal, read.address),
      questions: exchanges.map((exchange) => explainQuestion(exchange, mask.path)),
      occasion: occasionOf(rehearsal, exchanges.length > 0, deciding.clock()),
      decision: {
        verdict: decision.verdict,
        source: decision.source,
        reason: decision.reason,
        user: decision.userId,
        holdsFor: Number.isFinite(decision.holdsFor) ? Math.round(decision.holdsFor / 100) / 10 : null,
        why: sentenceOf(decision.reason),
      },
      nginx: nginxDoes(decision, nginxTtl),
      hint: addressHint(read, decision.verdict, denials()),
    }
  }
}

function described({ address, origin, userAgent, playbackId }: Subrequest) {
  return { address, origin, userAgent, playbackId }
}

function opensOf({ channel, path, pathCredential, directory, shownChannel }: Scope, mask: MaskPath): string {
  if (channel !== undefined) return `everything of the channel ${shownChannel}`
  if (!isPlaylist(path)) return 'nothing but itself: it is no playlist'
  if (directory === undefined)
    return pathCredential === undefined
      ? 'nothing but itself: it lies among the channels, and CHANNEL_PATTERN finds none in it'
      : 'nothing but itself: it lies directly behind a credential, and CHANNEL_PATTERN finds no channel in it'
  const shown = mask.path(path, directory.length)
  if (!directory.endsWith('/'))
    return `the files ${shown}.*, ${shown}_*, ${shown}-* and what is below ${shown}/`
  return directory === '/' ? 'the files at the root of the site' : `${shown} and everything below it`
}

function occasionOf(rehearsal: Rehearsal, asked: boolean, now: number): string {
  if (!asked) return ''
  const { made, session, recalled, identity } = rehearsal
  const isDue = (one: StoredSession): boolean =>
    now >= one.session.dueAt && whyNotResumed(one, identity, now) === undefined
  if (recalled?.silent.some(isDue)) return 'its silent session is due; the viewer waits for this answer'
  if (session === undefined) return 'nothing that counts is known of it'
  const then = made?.decision.verdict === 'deny' ? 'and this answer ends it' : 'and it goes on'
  return `its session is due; it goes on in the background, the viewer waits for nothing, ${then}`
}

function nginxDoes(decision: Decision, nginxTtl: number): string {
  const does = decision.verdict === 'allow' ? 'serves the file' : 'answers 403 Forbidden'
  const repeats = secondsForNginx(decision, nginxTtl)
  return repeats > 0 ? `${does}; with its verdict cache it repeats this for up to ${repeats + 1} s` : does
}

function explainRefusal({ refused }: Refusal): Explanation {
  const { verdict, source, reason, userId: user } = refusal
  return {
    subrequest: null,
    identity: null,
    known: null,
    questions: [],
    occasion: '',
    decision: {
      verdict,
      source,
      reason,
      user,
      holdsFor: 0,
      why: `refused before anybody is asked: ${refused}`,
    },
    nginx: nginxDoes(refusal, 0),
    hint: '',
  }
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 100) / 10} s`
}
