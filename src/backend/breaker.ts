/** Monotonic milliseconds. */
type Time = number

/** The state of one backend's breaker. */
export type BreakerState =
  | { readonly kind: 'closed' }
  /** Questions fail at once; from `probeAt` on the next one goes through. */
  | { readonly kind: 'open'; readonly since: Time; readonly probeAt: Time }
  /** One question is on its way; the others still fail at once. */
  | { readonly kind: 'half-open'; readonly since: Time; readonly probeAt: Time }

export interface BreakerOptions {
  readonly clock: () => Time
  /** 0 to 1, for jitter. */
  readonly random: () => number
}

export interface Breaker {
  /** Whether a question may go out now. In the open state one may every two seconds, as a probe. */
  admits(): boolean
  /** What `admits` would say; changes nothing. */
  wouldAdmit(): boolean
  /** The backend answered: any HTTP answer is a sign of life. */
  succeeded(): void
  /** Silence, refusal or garbage. `group` is whom the viewer's address counts as. */
  failed(group: string): void
  state(): BreakerState
}

/** Milliseconds. */
const WINDOW = 10_000
const BUCKET = 1_000
const PROBE_EVERY = 2_000
const MIN_FAILURES = 10
const MIN_GROUPS = 3

interface Bucket {
  readonly from: Time
  answers: number
  failures: number
  readonly groups: Set<string>
}

/**
 * Opens when the last ten seconds saw at least ten failures, at least half of all questions, from at least three clients: so that no single
 * client, whatever it claims to be, can open it. Closes on the first answer.
 */
export function createBreaker({ clock, random }: BreakerOptions): Breaker {
  let state: BreakerState = { kind: 'closed' }
  let buckets: Bucket[] = []

  const bucketOf = (now: Time): Bucket => {
    const last = buckets.at(-1)
    if (last !== undefined && now - last.from < BUCKET) return last
    const bucket = { from: now, answers: 0, failures: 0, groups: new Set<string>() }
    buckets = [...buckets.filter(({ from }) => now - from < WINDOW), bucket]
    return bucket
  }

  const isBroken = (now: Time): boolean => {
    let answers = 0
    let failures = 0
    const groups = new Set<string>()
    for (const bucket of buckets) {
      if (now - bucket.from >= WINDOW) continue
      answers += bucket.answers
      failures += bucket.failures
      for (const group of bucket.groups) groups.add(group)
    }
    return failures >= MIN_FAILURES && failures >= answers && groups.size >= MIN_GROUPS
  }

  const nextProbe = (now: Time): Time => now + PROBE_EVERY * (0.9 + 0.2 * random())

  const wouldAdmit = (now: Time): boolean => state.kind === 'closed' || now >= state.probeAt

  return {
    wouldAdmit: () => wouldAdmit(clock()),
    admits() {
      if (state.kind === 'closed') return true
      const now = clock()
      if (!wouldAdmit(now)) return false
      // A probe that never comes back must not keep the breaker half-open for good: the next one is due like the first.
      state = { kind: 'half-open', since: state.since, probeAt: nextProbe(now) }
      return true
    },
    succeeded() {
      if (state.kind === 'closed') {
        bucketOf(clock()).answers++
        return
      }
      state = { kind: 'closed' }
      buckets = []
    },
    failed(group) {
      const now = clock()
      if (state.kind !== 'closed') {
        if (state.kind === 'half-open') state = { kind: 'open', since: state.since, probeAt: state.probeAt }
        return
      }
      const bucket = bucketOf(now)
      bucket.failures++
      // Three are all that is ever asked for.
      if (bucket.groups.size < MIN_GROUPS) bucket.groups.add(group)
      if (isBroken(now)) state = { kind: 'open', since: now, probeAt: nextProbe(now) }
    },
    state: () => state,
  }
}
