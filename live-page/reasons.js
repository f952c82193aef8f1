/** @type {Readonly<Record<string, string>>} */
const words = {
  riding: 'a session of this viewer covers it',
  remembered: 'this very request was judged before',
  'bad-request': 'refused before anybody was asked: malformed, too large, or its path is not known',
  'too-many-questions': 'this address has its share of questions under way',
}

/** @type {Readonly<Record<string, string>>} */
const failures = {
  timeout: 'the backend gave no answer in time',
  refused: 'nothing listens at the backend’s address',
  reset: 'the connection to the backend was reset',
  closed: 'the backend closed the connection unanswered',
  dns: 'the backend’s name has no known address',
  tls: 'the backend’s certificate or handshake is not acceptable',
  'not-http': 'what answers at the backend’s address is not HTTP',
  status: 'the backend answered a status that means “unavailable”',
  breaker: 'the backend keeps failing and was not asked',
  overload: 'too many questions are under way, the backend was not asked',
  internal: 'a fault of alta-auth itself; its log has the error',
}

/**
 * A reason in plain words, without a period; empty for one that this page does not know.
 * @param {string} reason
 */
export function explain(reason) {
  if (reason === 'backend-200') return 'the backend said yes'
  if (reason.startsWith('backend-')) return `the backend said no, with status ${reason.slice(8)}`
  if (reason.startsWith('unavailable-')) return explainFailure(reason.slice(12))
  return words[reason] ?? ''
}

/**
 * @param {string | undefined} failure such as `timeout`
 */
export function explainFailure(failure) {
  return failures[failure ?? ''] ?? 'the backend gives no usable answer'
}
