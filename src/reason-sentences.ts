import type { Reason, UnavailableReason } from './verdict.ts'

const unavailable: Readonly<Record<UnavailableReason, string>> = {
  timeout: 'the backend gave no answer before the deadline',
  refused: 'nothing listens where the backend should be, or there is no route to it',
  reset: 'the connection to the backend was reset',
  closed: 'the backend closed the connection before it had answered',
  dns: 'the name of the backend has no known address',
  tls: 'the certificate of the backend, or the handshake, is not acceptable',
  'not-http': 'what answers there does not speak HTTP',
  status: 'the backend answered a status of UNAVAILABLE_STATUS',
  breaker: 'too many questions failed just now, so that the backend is left alone for a moment',
  overload: 'too many questions to the backend are under way',
  internal: 'a fault of alta-auth itself; its log has the error',
}

const ownReasons: Readonly<Record<Exclude<Reason, `backend-${number}` | `unavailable-${string}`>, string>> = {
  riding: 'a session that another request of this viewer opened covers it',
  remembered: 'the verdict of this very request, given earlier',
  adopted: 'a session that plays covers it; an earlier process has opened it, and the store knew it',
  resumed: 'a session that was silent covers it, and goes on',
  'session-limit': 'this user already has as many streams as the backend allows',
  'bad-request': 'refused before anybody is asked',
  'too-many-questions': 'this client address, or its network, has its share of questions under way',
  'question-refused': 'the backend answers others, but fails at this very question',
}

/** A clause that explains a reason to people. */
export function sentenceOf(reason: Reason): string {
  if (reason in ownReasons) return ownReasons[reason as keyof typeof ownReasons]
  const of = /^(backend|unavailable)-(.+)$/.exec(reason)
  if (of?.[1] === 'unavailable') return unavailable[of[2] as UnavailableReason]
  return of?.[2] === '200' ? 'the backend allows it' : `the backend answers ${of?.[2]}, and only 200 allows`
}
