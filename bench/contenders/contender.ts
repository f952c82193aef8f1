import type { Scope } from '../../test/support/scope.ts'
import type { Grounds } from '../grounds.ts'
import type { WorkName } from '../works.ts'

/** One way to authorize viewers in nginx. */
export interface Contender {
  /** As in the table of results. */
  readonly letter: string
  readonly name: string
  /** One or two sentences for the results. */
  readonly what: string
  /** Whether it really asks the backend who may watch. */
  readonly judges: boolean
  readonly works: readonly WorkName[]
  start(scope: Scope, grounds: Grounds): Promise<Running>
}

export interface Running {
  /** Where viewers reach it on 127.0.0.1. */
  readonly port: number
  readonly nginx: number
  /** The process that nginx asks, where there is one. */
  readonly gate?: number
  errorLog(): string
}

/**
 * Lifetimes of all contenders: verdicts outlive the time between two runs. With a shorter one for denies, those who are slow would meet nothing
 * but denies whose time is over, and be slower for it.
 */
export const ALLOW_SECONDS = 3600
export const DENY_SECONDS = 300
/** What a contender's memory of verdicts holds. */
export const MAX_VERDICTS = 100_000
