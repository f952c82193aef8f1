import type { Scope } from '../../test/support/scope.ts'
import type { Grounds } from '../grounds.ts'
import type { WorkName } from '../works.ts'

/** One way to authorize viewers in nginx. */
export interface Contender {
  /** Its letter in the table of results. */
  readonly letter: string
  readonly name: string
  /** One or two sentences for the results. */
  readonly what: string
  /** Whether it asks the backend who may watch. */
  readonly judges: boolean
  readonly works: readonly WorkName[]
  start(scope: Scope, grounds: Grounds): Promise<Running>
}

/** A contender that runs. */
export interface Running {
  /** The port of 127.0.0.1 where viewers reach it. */
  readonly port: number
  readonly nginx: number
  /** The ids of the processes that nginx asks, when there are any. */
  readonly gates?: readonly number[]
  /** The id of their Valkey, when they have one. */
  readonly valkey?: number
  errorLog(): string
}

/**
 * Seconds. All contenders keep verdicts longer than the time between two runs. If denies were kept for less,
 * a slow contender would have to ask again about each, and be slower for that.
 */
export const ALLOW_SECONDS = 3600
/** Seconds. */
export const DENY_SECONDS = 300
/** The most verdicts that a contender remembers. */
export const MAX_VERDICTS = 100_000
