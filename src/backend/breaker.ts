import type { Places } from './shares.ts'

/** Monotonic milliseconds. */
type Time = number

/** The state of one backend's breaker. */
export type BreakerState =
  | { readonly kind: 'closed' }
  /** Questions fail at once; the first one at or after `probeAt` is let through as a probe. */
  | { readonly kind: 'open'; readonly since: Time; readonly probeAt: Time }
  /** A probe is under way, or two; all other questions still fail at once. */
  | { readonly kind: 'half-open'; readonly since: Time; readonly probeAt: Time }

/** All states, for metrics. */
export const breakerStates = [
  'closed',
  'open',
  'half-open',
] as const satisfies readonly BreakerState['kind'][]

export interface BreakerOptions {
  /** Monotonic milliseconds. */
  readonly clock: () => Time
  /** 0 to 1, for jitter. */
  readonly random: () => number
}

/** A circuit breaker. A `group` is a client address, or the network around it, that counts as one client. */
export interface Breaker {
  /**
   * Whether a question may go out now. While the breaker is open, one may every two seconds, as a probe. If
   * that probe goes to a group that had a recent one, a second probe from another group may go out as well.
   */
  admits(group: string): boolean
  /** As `admits`, but changes nothing. */
  wouldAdmit(group: string): boolean
  /** The backend gave an HTTP answer, whatever its status. */
  succeeded(): void
  /** A question got no HTTP answer. */
  failed(group: string): void
  state(): BreakerState
}

/** Milliseconds. */
const WINDOW = 10_000
const BUCKET = 1_000
const PROBE_EVERY = 2_000
const MIN_FAILURES = 10
const MIN_GROUPS = 3
/** Failures of one group that count, at most. */
const MOST_OF_ONE = 5
/**
 * How long a probe counts as recent, in milliseconds. Without the second probe one busy group could take them
 * all.
 */
const RECENT = 3 * PROBE_EVERY

interface Bucket {
  readonly from: Time
  answers: number
  failures: number
  /** Failures of each group. */
  readonly groups: Map<string, number>
}

/**
 * Opens when three conditions hold for the last ten seconds: at least ten failures, at least half of all
 * questions failed, and the failures are of at least three groups. Of one group at most five failures count,
 * so that no single client can open it, even beside a few failures of others. Closes at the first answer.
 */
export function createBreaker({ clock, random }: BreakerOptions): Breaker {
  let state: BreakerState = { kind: 'closed' }
  let buckets: Bucket[] = []
  /** The time of each group's last probe, if it is recent. */
  let probed = new Map<string, Time>()
  /** The last probe went to a group that had a recent one before: another group may have a second probe. */
  let mayProbeTwice = false

  const bucketOf = (now: Time): Bucket => {
    const last = buckets.at(-1)
    if (last !== undefined && now - last.from < BUCKET) return last
    const bucket = { from: now, answers: 0, failures: 0, groups: new Map<string, number>() }
    buckets = [...buckets.filter(({ from }) => now - from < WINDOW), bucket]
    return bucket
  }

  const isBroken = (now: Time): boolean => {
    let answers = 0
    let failures = 0
    const recent = buckets.filter(({ from }) => now - from < WINDOW)
    for (const bucket of recent) {
      answers += bucket.answers
      failures += bucket.failures
    }
    const isEnough = (): boolean => failures >= MIN_FAILURES && failures >= answers
    if (!isEnough()) return false
    const groups = new Map<string, number>()
    for (const [group, count] of recent.flatMap((bucket) => [...bucket.groups]))
      groups.set(group, (groups.get(group) ?? 0) + count)
    failures = 0
    for (const count of groups.values()) failures += Math.min(count, MOST_OF_ONE)
    return isEnough() && groups.size >= MIN_GROUPS
  }

  const nextProbe = (now: Time): Time => now + PROBE_EVERY * (0.9 + 0.2 * random())

  const hadRecentProbe = (group: string, now: Time): boolean =>
    now - (probed.get(group) ?? Number.NEGATIVE_INFINITY) < RECENT

  const wouldAdmit = (group: string, now: Time): boolean =>
    state.kind === 'closed' || now >= state.probeAt || (mayProbeTwice && !hadRecentProbe(group, now))

  return {
    wouldAdmit: (group) => wouldAdmit(group, clock()),
    admits(group) {
      if (state.kind === 'closed') return true
      const now = clock()
      if (!wouldAdmit(group, now)) return false
      const { since, probeAt } = state
      const isDue = now >= probeAt
      mayProbeTwice = isDue && hadRecentProbe(group, now)
      probed = new Map([...probed].filter(([one]) => hadRecentProbe(one, now))).set(group, now)
      // The next probe has its own time: one without an outcome must not keep the breaker half-open for ever.
      state = { kind: 'half-open', since, probeAt: isDue ? nextProbe(now) : probeAt }
      return true
    },
    succeeded() {
      if (state.kind === 'closed') {
        bucketOf(clock()).answers++
        return
      }
      state = { kind: 'closed' }
      buckets = []
      probed = new Map()
      mayProbeTwice = false
    },
    failed(group) {
      const now = clock()
      if (state.kind !== 'closed') {
        if (state.kind === 'half-open') state = { kind: 'open', since: state.since, probeAt: state.probeAt }
        return
      }
      const bucket = bucketOf(now)
      bucket.failures++
      bucket.groups.set(group, (bucket.groups.get(group) ?? 0) + 1)
      if (isBroken(now)) state = { kind: 'open', since: now, probeAt: nextProbe(now) }
    },
    state: () => state,
  }
}

/** The number of questions that may be under way at one backend, adapted to what the backend can serve. */
export interface Concurrency {
  places(): Places
  /** The backend answered in time, after so many milliseconds: raises the limit. */
  answered(took: number): void
  /** A question sent at `began` (monotonic milliseconds) was not answered in time: lowers the limit. */
  timedOut(began: number): void
  /** A question was not answered in time, perhaps by its own fault: nobody may borrow places for now. */
  lendNothing(): void
  /** An outage is over: starts again from a low limit, since many viewers ask at once. */
  restart(): void
}

export interface ConcurrencyOptions {
  /** The highest limit. */
  readonly most: number
  /** An answer within so many milliseconds shows that the backend can take more. */
  readonly quick: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** The lowest limit, so that one slow answer does not stop all others. */
const LEAST = 4

/**
 * Additive increase, multiplicative decrease, as in TCP's congestion control (RFC 5681): an answer adds one,
 * up to `most`; a timeout halves the limit. Questions sent before a halving do not halve it again: they
 * belong to the same overload. Quick answers also let a group borrow places: in a backend with few workers,
 * borrowed places would only make everybody's questions wait there.
 */
export function createConcurrency({ most, quick, clock }: ConcurrencyOptions): Concurrency {
  let limit = most
  let lent = 0
  let halvedAt = Number.NEGATIVE_INFINITY
  return {
    places: () => ({ limit, lent }),
    answered(took) {
      if (limit < most) limit++
      lent = took < quick ? Math.min(most, lent + 1) : Math.floor(lent / 2)
    },
    timedOut(began) {
      if (began < halvedAt) return
      halvedAt = clock()
      limit = Math.max(LEAST, Math.floor(limit / 2))
    },
    lendNothing() {
      lent = 0
    },
    restart() {
      limit = Math.min(limit, LEAST)
    },
  }
}
