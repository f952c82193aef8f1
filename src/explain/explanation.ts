import type { SessionView } from '../session/session-view.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'

/** One question to a backend, for people: no value of a parameter, no password. */
export interface ExplainedQuestion {
  readonly backend: string
  /** Null when it was not asked. */
  readonly url: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Null without an answer. */
  readonly status: number | null
  readonly answerHeaders: Readonly<Record<string, string>>
  /** Why there is no answer; null when there is one. */
  readonly failure: string | null
  /** From question to answer. */
  readonly ms: number
}

/** What is decided about one request, and the way to it, from top to bottom. */
export interface Explanation {
  /** What nginx tells of it; null when it is refused unread. */
  readonly subrequest: Omit<Subrequest, 'requestId'> | null
  readonly identity: {
    /** What the verdict is about. */
    readonly about: string
    /** The query as far as it tells requests apart. */
    readonly query: string
    /** Whether the query holds one of TOKEN_PARAM. */
    readonly credential: boolean
    /** What an allow of this request would open for its viewer. */
    readonly opens: string
  } | null
  readonly known: {
    readonly kind: 'session' | 'deny' | 'nothing'
    readonly finding: string
    readonly session: SessionView | null
    /** Further sessions of this address, five at most: where a player changes its User-Agent, they show it. */
    readonly others: readonly SessionView[]
  } | null
  readonly questions: readonly ExplainedQuestion[]
  /** What the questions were asked for; empty when none was. */
  readonly occasion: string
  readonly decision: {
    readonly verdict: Decision['verdict']
    readonly source: Decision['source']
    readonly reason: Decision['reason']
    readonly user: string
    /** Seconds until it is judged again; null = for the life of the session. */
    readonly holdsFor: number | null
    readonly why: string
  }
  /** What nginx does with it. */
  readonly nginx: string
}
