/** What a client request gets: nginx serves it or refuses it. */
export type Verdict = 'allow' | 'deny'

/** Why a backend gave no usable answer. A closed set: it appears in logs, headers and the documentation. */
export const unavailableReasons = [
  'timeout', // nothing usable before the deadline
  'refused', // no listener, no route, no permission to connect
  'reset', // the connection was reset
  'closed', // the connection was closed before the status line was complete
  'dns', // the host name has no known address
  'tls', // the certificate or the handshake was not acceptable
  'not-http', // something answered, but not HTTP
  'status', // one of the UNAVAILABLE_STATUS statuses
  'breaker', // not asked, because too many questions failed in the last seconds
  'overload', // not asked: it found no place, and nobody was answered meanwhile
  'internal', // our own code threw
] as const
export type UnavailableReason = (typeof unavailableReasons)[number]

/** Why the gate refuses a question although the backend works. */
export const refusedReasons = [
  'too-many-questions', // it found no place at the backend in time, while others were answered
  'question-refused', // the backend answers others, but fails at this question
] as const
type RefusedReason = (typeof refusedReasons)[number]

/** Reasons that say nothing about the backend's health: it was not asked, or the fault is ours. */
export const notTheBackends: ReadonlySet<string> = new Set<UnavailableReason>([
  'breaker',
  'overload',
  'internal',
])

/** What a backend may add to an allow; names and units as Flussonic-style backends send them. */
export interface Grant {
  /** `X-AuthDuration` as sent, not checked yet; seconds where it is a number. */
  readonly authDuration?: string
  /** `X-UserId`, else Astra's `X-Session-Name`: at most 128 printable ASCII bytes, not trusted. */
  readonly userId?: string
  /** `X-Max-Sessions` as sent, not checked yet: at how many places this user may play at once. */
  readonly maxSessions?: string
  /** `X-Unique` as sent: with `true` the newest session ends the others. */
  readonly unique?: string
}

/** There was no usable answer. */
export interface Unavailable {
  readonly kind: 'unavailable'
  readonly backend: string
  readonly reason: UnavailableReason
  /** Only the question about this session failed: the backend answers others. */
  readonly forOne?: true
}

/**
 * Statuses with which a web server answers in the place of a dead script (RFC 9110 section 15.6): an outage
 * for who plays, whatever UNAVAILABLE_STATUS says.
 */
export const outageStatuses: ReadonlySet<number> = new Set([502, 503, 504])

/**
 * The result of one question. `unavailable` is a value, not an exception: neither an allow nor a deny, and
 * only the decision may turn it into one. `refused` is a deny by the gate itself, for a question that fails
 * because of its own client.
 */
export type Outcome =
  | { readonly kind: 'allow'; readonly backend: string; readonly grant: Grant }
  | { readonly kind: 'deny'; readonly backend: string; readonly status: number }
  | Unavailable
  | { readonly kind: 'refused'; readonly backend: string; readonly reason: RefusedReason }

/** Who decided. `gate`: the gate itself refused. */
export const sources = ['backend', 'session', 'stale', 'default', 'gate'] as const
export type Source = (typeof sources)[number]

/** The closed vocabulary of `X-Auth-Reason`. */
export type Reason =
  | `backend-${number}`
  | `unavailable-${UnavailableReason}`
  | 'riding' // allowed by a session that another request of this viewer opened
  | 'remembered' // an earlier verdict for the same request
  | 'adopted' // allowed by a session that plays, and that an earlier process has opened
  | 'resumed' // allowed by a session that was silent, and goes on
  | 'session-limit' // this user already has as many streams as the backend allows
  | 'bad-request' // refused by the gate without asking a backend
  | RefusedReason

/** A verdict with its source and reason: what one client request gets. */
export interface Decision {
  readonly verdict: Verdict
  readonly source: Source
  readonly reason: Reason
  /** Empty when no backend was asked for this request. */
  readonly sessionId: string
  /** At most 128 printable ASCII bytes; empty when the backend named nobody. */
  readonly userId: string
  /** How long this verdict still counts, in milliseconds. */
  readonly holdsFor: number
  /** Whether nginx's verdict cache may repeat it for that time. */
  readonly cacheable: boolean
  /**
   * The value of a session cookie, for the one answer that is about it: nothing keeps, repeats or logs it.
   */
  readonly newCookie?: string
}

/** The parts of a session that an allow needs. */
interface Allowing {
  readonly id: string
  readonly userId: string
  /** Opened by the default action. */
  readonly provisional: boolean
  /** When the next re-check is due, in monotonic milliseconds. */
  readonly dueAt: number
}

/**
 * An allow by a session. It holds until the session's next re-check is due; `now` is monotonic milliseconds.
 */
export function allowedBy(
  session: Allowing,
  source: Source,
  reason: Reason,
  now: number,
  cacheable: boolean,
): Decision {
  const { id: sessionId, userId } = session
  const holdsFor = Math.max(0, session.dueAt - now)
  return { verdict: 'allow', source, reason, sessionId, userId, holdsFor, cacheable }
}

/** An allow by a session whose last question got no answer; `now` is monotonic milliseconds. */
export function allowedWithout(
  session: Allowing,
  reason: UnavailableReason,
  now: number,
  cacheable: boolean,
): Decision {
  const source = session.provisional ? 'default' : 'stale'
  return allowedBy(session, source, `unavailable-${reason}`, now, cacheable)
}

/** @param holdsFor milliseconds */
export function denied(
  sessionId: string,
  source: Source,
  reason: Reason,
  holdsFor: number,
  cacheable: boolean,
): Decision {
  return { verdict: 'deny', source, reason, sessionId, userId: '', holdsFor, cacheable }
}

/**
 * A remembered deny, as the answer to the same request. Only a backend's deny changes its source and reason:
 * one by default keeps the reason why the backend was unavailable.
 * @param holdsFor milliseconds
 */
export function repeated(decision: Decision, holdsFor: number, cacheable: boolean): Decision {
  if (decision.source !== 'backend') return { ...decision, holdsFor, cacheable }
  return { ...decision, source: 'session', reason: 'remembered', holdsFor, cacheable }
}
