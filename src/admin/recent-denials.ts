import type { DecisionMade } from '../decision/decide.ts'
import { sentenceOf } from '../reason-sentences.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'

/** One denial, for people and machines. It holds no query and no path credential. */
export interface RecentDenial {
  /** The number by which the denial can be explained. Later denials have higher numbers. */
  readonly denial: number
  /** ISO 8601 in UTC. */
  readonly time: string
  /** Empty when the request could not be read, as are the three fields below. */
  readonly address: string
  readonly origin: string
  readonly path: string
  readonly userAgent: string
  readonly source: string
  readonly reason: string
  /** The reason as a clause. When the request could not be read: what is wrong with it. */
  readonly why: string
  /** Empty when no question was asked. */
  readonly session: string
}

/** What is kept of a denial: the request with its query, or why it could not be read. */
interface KeptDenial {
  readonly number: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly request:
    | { readonly subrequest: Subrequest; readonly decision: Decision }
    | { readonly why: string }
}

/** The latest denials, and the observers that add to them. */
export interface RecentDenials {
  /** A decision was made. Allows are ignored. */
  made(made: DecisionMade): void
  /** A subrequest was refused before it could be read. */
  refused(why: string): void
  /** Latest first. */
  list(): readonly RecentDenial[]
  /** The denials with a higher number, latest last. */
  after(number: number): readonly RecentDenial[]
  find(number: number): KeptDenial | undefined
  /** The number of the latest denial; 0 when there was none. */
  latest(): number
}

/** The clock, what is shown of a path, and who is called after each new denial. */
interface RecentDenialsOptions {
  /** Shows a path without the credential in it. */
  readonly maskPath: (path: string) => string
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly onDenied: () => void
}

/** The most denials that are kept. */
const KEPT = 100

/** The last hundred denials with their requests, in memory only. */
export function createRecentDenials(options: RecentDenialsOptions): RecentDenials {
  const { maskPath, wallClock, onDenied } = options
  /** A ring buffer: denial n is at place n modulo its size. */
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
      if (kept !== undefined) found.push(view(kept, maskPath))
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

function view(
  { number: denial, at, request }: KeptDenial,
  maskPath: RecentDenialsOptions['maskPath'],
): RecentDenial {
  const time = new Date(at).toISOString()
  if ('why' in request) {
    const unread = { address: '', origin: '', path: '', userAgent: '' }
    return { denial, time, ...unread, source: 'gate', reason: 'bad-request', why: request.why, session: '' }
  }
  const { address, origin, userAgent } = request.subrequest
  const path = maskPath(request.subrequest.path)
  const { source, reason, sessionId: session } = request.decision
  const why = sentenceOf(reason)
  return { denial, time, address, origin, path, userAgent, source, reason, why, session }
}
