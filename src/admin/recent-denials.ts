import type { DecisionMade } from '../decision/decide.ts'
import { sentenceOf } from '../reason-sentences.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'

/** One denial for people and machines. Holds no query, so no token. */
export interface RecentDenial {
  /** Its number, by which it can be explained again; a later one has a higher number. */
  readonly denial: number
  /** ISO 8601 in UTC. */
  readonly time: string
  /** This and the three below are empty when the request could not be read. */
  readonly address: string
  readonly origin: string
  readonly path: string
  readonly userAgent: string
  readonly source: string
  readonly reason: string
  /** The reason as a clause; of a request that could not be read, what is wrong with it. */
  readonly why: string
  /** Empty when no question was asked. */
  readonly session: string
}

/** What is kept of a denial: the request with its query, and why when it could not be read. */
export interface KeptDenial {
  readonly number: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly request:
    | { readonly subrequest: Subrequest; readonly decision: Decision }
    | { readonly why: string }
}

export interface RecentDenials {
  /** A decision that was made; an allow is none of ours. */
  made(made: DecisionMade): void
  /** A subrequest was refused before it could be read. */
  refused(why: string): void
  /** The latest first. */
  list(): readonly RecentDenial[]
  /** Those with a higher number, the latest last. */
  after(number: number): readonly RecentDenial[]
  find(number: number): KeptDenial | undefined
  /** The number of the latest; 0 when there was none. */
  latest(): number
}

export interface RecentDenialsOptions {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly onDenied: () => void
}

/** How many are kept. */
const KEPT = 100

/** The last hundred denials with their requests, in memory only. */
export function createRecentDenials({ wallClock, onDenied }: RecentDenialsOptions): RecentDenials {
  /** A ring: number n lies at n modulo its size. */
  const ring: KeptDenial[] = []
  let latest = 0

  const keep = (request: KeptDenial['request']): void => {
    latest++
    ring[latest % KEPT] = { number: latest, at: wallClock(), request }
    onDenied()
  }
  const find = (number: number): KeptDenial | undefined => {
    const kept = ring[number % KEPT]
    return kept?.number === number ? kept : undefined
  }
  const after = (number: number): RecentDenial[] => {
    const found: RecentDenial[] = []
    for (let next = Math.max(number, latest - KEPT) + 1; next <= latest; next++) {
      const kept = find(next)
      if (kept !== undefined) found.push(view(kept))
    }
    return found
  }

  return {
    made({ subrequest, decision }) {
      if (decision.verdict === 'deny') keep({ subrequest, decision })
    },
    refused: (why) => keep({ why }),
    list: () => after(0).reverse(),
    after,
    find,
    latest: () => latest,
  }
}

function view({ number: denial, at, request }: KeptDenial): RecentDenial {
  const time = new Date(at).toISOString()
  if ('why' in request) {
    const unread = { address: '', origin: '', path: '', userAgent: '' }
    return { denial, time, ...unread, source: 'gate', reason: 'bad-request', why: request.why, session: '' }
  }
  const { address, origin, path, userAgent } = request.subrequest
  const { source, reason, sessionId: session } = request.decision
  const why = sentenceOf(reason)
  return { denial, time, address, origin, path, userAgent, source, reason, why, session }
}
