import type { SessionView } from '../session/session-view.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'

/** One question to a backend, for people. No value of a parameter, no password. */
export interface ExplainedQuestion {
  readonly backend: string
  /** Null when the backend was not asked. */
  readonly url: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Null when there was no answer. */
  readonly status: number | null
  readonly answerHeaders: Readonly<Record<string, string>>
  /** Why there was no answer; null when there was one. */
  readonly failure: string | null
  /** Milliseconds from the question to the answer. */
  readonly ms: number
}

/** A session that the store holds and the gate does not. */
export interface StoredView extends SessionView {
  /** 1, and one more for each time that it was resumed. */
  readonly part: number
  /** It was not requested for SESSION_IDLE. */
  readonly silent: boolean
  /** ISO 8601 in UTC; null = it may not be resumed. */
  readonly resumableUntil: string | null
  /** What becomes of it, as a clause. */
  readonly finding: string
}

/** What the store has to do with a decision. */
export interface ExplainedStore {
  readonly usable: boolean
  /** As a clause. */
  readonly finding: string
  /** What it holds of this viewer, the latest first, at most five. */
  readonly sessions: readonly StoredView[]
}

/** What the user of a request plays at once. */
export interface ExplainedLimit {
  readonly user: string
  /** How many plays count, and how many may. */
  readonly count: number
  readonly max: number
  readonly policy: 'newest' | 'refuse'
  /** As a clause. */
  readonly finding: string
  /** The latest opened first. */
  readonly plays: readonly {
    readonly session: string
    readonly address: string
    readonly place: string
    /** ISO 8601 in UTC. */
    readonly since: string
    readonly lastRequest: string
    readonly is: 'playing' | 'silent'
  }[]
  /** Why this request is refused; null where the limit is not why. */
  readonly out: string | null
}

/** What is decided about one request, with all steps from top to bottom. */
export interface Explanation {
  /** What nginx tells the gate; null when the request could not be read. */
  readonly subrequest: Omit<Subrequest, 'requestId'> | null
  readonly identity: {
    /** What the verdict is about. */
    readonly about: string
    /** The part of the query that tells requests apart. */
    readonly query: string
    /** Whether the query holds a parameter of TOKEN_PARAM, or the path a credential. */
    readonly credential: boolean
    /** What the viewer may open after an allow of this request. */
    readonly opens: string
  } | null
  readonly known: {
    readonly kind: 'session' | 'deny' | 'nothing'
    readonly finding: string
    readonly session: SessionView | null
    /** Other sessions of this address, at most five. They show a player that changes its User-Agent. */
    readonly others: readonly SessionView[]
    /** Null where there is no store. */
    readonly store: ExplainedStore | null
    /** Null where nothing limits the user. */
    readonly limit: ExplainedLimit | null
  } | null
  readonly questions: readonly ExplainedQuestion[]
  /** Why the backend was asked; empty when it was not. */
  readonly occasion: string
  readonly decision: {
    readonly verdict: Decision['verdict']
    readonly source: Decision['source']
    readonly reason: Decision['reason']
    readonly user: string
    /** Seconds until the verdict is checked again; null = it holds for the life of the session. */
    readonly holdsFor: number | null
    readonly why: string
  }
  /** What nginx does with it, in words. */
  readonly nginx: string
  /** What may be wrong with the address; empty when nothing is. */
  readonly hint: string
}
