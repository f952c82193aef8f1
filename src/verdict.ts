/** What a viewer gets: in or not. */
export type Verdict = 'allow' | 'deny'

/** Why a backend gave no usable answer. A closed set: it reaches logs, headers and the documentation. */
export const unavailableReasons = [
  'timeout', // nothing usable before the deadline
  'refused', // no listener, no route, no permission to connect
  'reset', // the connection was reset
  'closed', // the connection was closed before the status line was complete
  'dns', // the host name has no known address
  'tls', // the certificate or the handshake was not acceptable
  'not-http', // something answered, but not HTTP
  'status', // a status that UNAVAILABLE_STATUS names
  'breaker', // too many questions failed just now; not asked
  'overload', // too many questions under way; not asked
  'internal', // our own code threw
] as const
export type UnavailableReason = (typeof unavailableReasons)[number]

/** Why the gate refuses a question although nothing is wrong with the backend. */
export const refusedReasons = [
  'too-many-questions', // this client's address, or its network, has its share of questions under way
  'question-refused', // the backend is well, but gives no answer to this very question
] as const
export type RefusedReason = (typeof refusedReasons)[number]

/** The backend was not asked, or not by its fault: these say nothing about it. */
export const notTheBackends: ReadonlySet<string> = new Set<UnavailableReason>([
  'breaker',
  'overload',
  'internal',
])

/** What a backend may add to an allow; names and units as Flussonic-style backends send them. */
export interface Grant {
  /** `X-AuthDuration` as sent, in seconds when it is a number; judged where lifetimes are decided. */
  readonly authDuration?: string
  /** `X-UserId`, or Astra's `X-Session-Name` where only that is sent. Untrusted text. */
  readonly userId?: string
}

/**
 * The result of one question. "Unavailable" is a value, not an exception: it is neither an allow nor a deny, and only the
 * decision may turn it into one. "Refused" is a deny of the gate's own: the question failed, and it is its client's fault.
 */
export type Outcome =
  | { readonly kind: 'allow'; readonly backend: string; readonly grant: Grant }
  | { readonly kind: 'deny'; readonly backend: string; readonly status: number }
  | { readonly kind: 'unavailable'; readonly backend: string; readonly reason: UnavailableReason }
  | { readonly kind: 'refused'; readonly backend: string; readonly reason: RefusedReason }

/** Who decided: `gate` refused without asking anybody. */
export const sources = ['backend', 'session', 'stale', 'default', 'gate'] as const
export type Source = (typeof sources)[number]

/** The closed vocabulary of `X-Auth-Reason`. */
export type Reason =
  | `backend-${number}`
  | `unavailable-${UnavailableReason}`
  | 'riding' // allowed by a session that another request of this viewer opened
  | 'remembered' // the verdict of this very request, given earlier
  | 'bad-request' // refused by the gate before anybody was asked
  | RefusedReason

/** A verdict with its source and reason: what one client request gets. */
export interface Decision {
  readonly verdict: Verdict
  readonly source: Source
  readonly reason: Reason
  /** Empty when no question was ever asked for this request. */
  readonly sessionId: string
  /** At most 128 printable ASCII bytes; empty when the backend named nobody. */
  readonly userId: string
  /** Milliseconds that are left of this verdict's time. */
  readonly holdsFor: number
  /** Whether nginx's verdict cache may repeat it meanwhile. */
  readonly cacheable: boolean
}

/** What of a session an allow tells. */
interface Allowing {
  readonly id: string
  readonly userId: string
  /** Opened by the default action. */
  readonly provisional: boolean
  /** Milliseconds, when the next re-check is due. */
  readonly dueAt: number
}

/** An allow on the strength of a session; holds until the session's next re-check is due. */
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

/** What a session is worth while its backend gives no answer. */
export function allowedWithout(
  session: Allowing,
  reason: UnavailableReason,
  now: number,
  cacheable: boolean,
): Decision {
  const source = session.provisional ? 'default' : 'stale'
  return allowedBy(session, source, `unavailable-${reason}`, now, cacheable)
}

export function denied(
  sessionId: string,
  source: Source,
  reason: Reason,
  holdsFor: number,
  cacheable: boolean,
): Decision {
  return { verdict: 'deny', source, reason, sessionId, userId: '', holdsFor, cacheable }
}

/** The same deny again: it keeps its id, and a deny by default keeps telling that the backend was unavailable. */
export function repeated(decision: Decision, holdsFor: number, cacheable: boolean): Decision {
  if (decision.source !== 'backend') return { ...decision, holdsFor, cacheable }
  return { ...decision, source: 'session', reason: 'remembered', holdsFor, cacheable }
}
