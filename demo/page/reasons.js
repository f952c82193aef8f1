// @ts-nocheck: runs in the browser; the project's types know no DOM.

const failures = {
  timeout: 'the backend is silent',
  breaker: 'the backend keeps failing',
  overload: 'the backend answers nobody',
}

const words = {
  riding: 'a session of this viewer covers it',
  adopted: 'a session of this viewer covers it; the gate was restarted',
  resumed: 'a session of this viewer that was silent goes on',
  remembered: 'this very request was judged before',
  'bad-request': 'refused before anybody was asked',
  'too-many-questions': 'no place at the backend in time',
  'question-refused': 'the backend fails at this very question',
  'gate-unavailable': 'alta-auth was not there, nginx decided',
  'control-bytes': 'nginx refused it unasked',
}

/** A decision's reason in plain words; empty when there is no more to say than the reason itself. */
export function explain({ verdict, source, reason }) {
  if (reason === 'backend-200') return 'the backend said yes'
  if (reason.startsWith('backend-')) return `the backend said no (${reason.slice(8)})`
  if (!reason.startsWith('unavailable-')) return words[reason] ?? ''
  const failure = failures[reason.slice(12)] ?? 'the backend is down'
  return source === 'stale' ? `${failure}, what was known holds` : `${failure}, default action: ${verdict}`
}
