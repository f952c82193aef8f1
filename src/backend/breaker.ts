/** Monotonic milliseconds. */
type Time = number

/** The state of one backend's breaker. */
export type BreakerState =
  | { readonly kind: 'closed' }
  /** Questions fail at once; from `probeAt` on the next one goes through. */
  | { readonly kind: 'open'; readonly since: Time; readonly probeAt: Time }
  /** A question is on its way, at most two; the others still fail at once. */
  | { readonly kind: 'half-open'; readonly since: Time; readonly probeAt: Time }

export interface BreakerOptions {
  readonly clock: () => Time
  /** 0 to 1, for jitter. */
  readonly random: () => number
}

export interface Breaker {
  /**
   * Whether a question may go out now. In the open state one may every two seconds, as a probe, and beside a client who had one lately
   * another's may, too. `group` is whom the viewer's address counts as.
   */
  admits(group: string): boolean
  /** What `admits` would say; changes nothing. */
  wouldAdmit(group: string): boolean
  /** The backend answered: any HTTP answer is a sign of life. */
  succeeded(): void
  /** Silence, refusal or garbage. */
  failed(group: string): void
  state(): BreakerState
}

/** Milliseconds. */
const WINDOW = 10_000
const BUCKET = 1_000
const PROBE_EVERY = 2_000
const MIN_FAILURES = 10
const MIN_GROUPS = 3
/** Failures of one client that count. */
const MOST_OF_ONE = 5
/** Who had a probe within this time cannot keep others from theirs: a client whose questions fail would get them all; milliseconds. */
const LATELY = 3 * PROBE_EVERY

interface Bucket {
  readonly from: Time
  answers: number
  failures: number
  /** Failures of each client. */
  readonly groups: Map<string, number>
}

/**
 * Opens when the last ten seconds saw at least ten failures, at least half of all questions, from at least three clients, none of which
 * counts for more than five: so that no single client, whatever it claims to be, can open it, nor a few failures of others do it for him.
 * Closes on the first answer.
 */
export function createBreaker({ clock, random }: BreakerOptions): Breaker {
  let state: BreakerState = { kind: 'closed' }
  let buckets: Bucket[] = []
  /** When each client had its last probe, as far as that was lately. */
  let probed = new Map<string, Time>()
  /** The last probe went to a client who had had one lately: somebody else may have one beside it. */
  let spare = false

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

  const hadOneLately = (group: string, now: Time): boolean =>
    now - (probed.get(group) ?? Number.NEGATIVE_INFINITY) < LATELY

  const wouldAdmit = (group: string, now: Time): boolean =>
    state.kind === 'closed' || now >= state.probeAt || (spare && !hadOneLately(group, now))

  return {
    wouldAdmit: (group) => wouldAdmit(group, clock()),
    admits(group) {
      if (state.kind === 'closed') return true
      const now = clock()
      if (!wouldAdmit(group, now)) return false
      const { since, probeAt } = state
      const isDue = now >= probeAt
      spare = isDue && hadOneLately(group, now)
      probed = new Map([...probed].filter(([one]) => hadOneLately(one, now))).set(group, now)
      // A probe that never comes back must not keep the breaker half-open for good: the next one is due like the first.
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
      spare = false
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
