import type { ServerResponse } from 'node:http'
import type { Decision } from '../verdict.ts'

/** For operators who let nginx cache verdicts: at most this long, in milliseconds. The shipped snippets do not. */
const MAX_HOLD = 10_000

/**
 * Answers nginx: `200` or `403` and no body. nginx turns any other status into a 500 for the viewer, and closes the connection when
 * a body is sent.
 */
export function answer(response: ServerResponse, decision: Decision, closing: boolean): void {
  if (response.headersSent) return
  const holdsFor = Math.max(0, Math.min(decision.holdsFor, MAX_HOLD))
  const headers = [
    'Content-Length',
    '0',
    'X-Auth-Verdict',
    decision.verdict,
    'X-Auth-Source',
    decision.source,
    'X-Auth-Reason',
    decision.reason,
    'X-Accel-Expires',
    String(Math.floor(holdsFor / 1000)),
  ]
  if (decision.sessionId !== '') headers.push('X-Session-Id', decision.sessionId)
  if (decision.userId !== '') headers.push('X-User-Id', decision.userId)
  if (closing) headers.push('Connection', 'close')
  response.sendDate = false
  response.writeHead(decision.verdict === 'allow' ? 200 : 403, headers)
  response.end()
}
