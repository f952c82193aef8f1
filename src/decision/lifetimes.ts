/** How long things count, in milliseconds. */
export interface Lifetimes {
  /** After this a playing session is re-checked; `session` = never. */
  readonly allow: number | 'session'
  readonly deny: number
  /** A known allow holds this much longer while the backend is unavailable. */
  readonly stale: number
  /** An answer of the default action counts this long. */
  readonly default: number
}

/** A known deny outlives its time by this much while the backend is unavailable. */
export const STALE_DENY = 60_000

/** A backend cannot grant more than this at once. */
const MAX_AUTH_DURATION = 24 * 3_600_000

/** ±10 %, so that sessions opened by one kick-off are not all re-checked in one second. */
export function jittered(duration: number, random: () => number): number {
  return duration * (0.9 + 0.2 * random())
}

/**
 * `X-AuthDuration` in milliseconds: whole seconds, 24 h at most.
 * `invalid` for zero, negative numbers and what is no number; undefined when none was sent.
 */
export function readAuthDuration(sent: string | undefined): number | 'invalid' | undefined {
  if (sent === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(sent.trim()) ? Number(sent) : 0
  return seconds === 0 ? 'invalid' : Math.min(seconds * 1000, MAX_AUTH_DURATION)
}
