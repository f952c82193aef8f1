import type { Subrequest } from './subrequest.ts'

/** What is asked, and what decides who is asked about first. */
export interface Question {
  readonly subrequest: Subrequest
  /** `X-Session-Id`. */
  readonly sessionId: string
  /** `re-check`: about a playing session, in the background. */
  readonly occasion: 'question' | 're-check'
  /** The client's query holds one of the TOKEN_PARAM names. */
  readonly credential: boolean
  /** The viewer, where a backend has allowed them something lately; undefined for a stranger. */
  readonly knownViewer: string | undefined
}
