import type { ServerResponse } from 'node:http'
import type { Decision } from '../verdict.ts'

export interface AnswerOptions {
  /** Whether the process is ending, so that nginx should not keep this connection. */
  readonly isClosing: () => boolean
  /** How long nginx's verdict cache may repeat a verdict, at most; milliseconds. */
  readonly nginxTtl: number
  /** Told of each answer as it is given. */
  readonly onAnswered?: (decision: Decision) => void
}

/**
 * Answers nginx: `200` or `403` and no body. nginx turns any other status into a 500 for the viewer, and closes the connection when
 * a body is sent.
 */
export function createAnswer({
  isClosing,
  nginxTtl,
  onAnswered,
}: AnswerOptions): (response: ServerResponse, decision: Decision) => void {
  return (response, decision) => {
    if (response.headersSent) return
    onAnswered?.(decision)
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
      expiresOf(decision, nginxTtl),
    ]
    if (decision.sessionId !== '') headers.push('X-Session-Id', decision.sessionId)
    if (decision.userId !== '') headers.push('X-User-Id', decision.userId)
    if (isClosing()) headers.push('Connection', 'close')
    response.sendDate = false
    // HTTP/1.1 keeps connections without being told; two header lines fewer for nginx to read.
    response.removeHeader('Connection')
    response.writeHead(decision.verdict === 'allow' ? 200 : 403, headers)
    response.end()
  }
}

/** Stored by nginx, but never fresh. */
const EXPIRED = '@1'

/**
 * The whole seconds that nginx may repeat the verdict. A time of one second lasts up to two there, since nginx looks at its clock
 * without fractions.
 */
export function secondsForNginx({ holdsFor, cacheable }: Decision, nginxTtl: number): number {
  return cacheable ? Math.max(0, Math.floor(Math.min(holdsFor, nginxTtl) / 1000) - 1) : 0
}

/** `X-Accel-Expires`. */
function expiresOf(decision: Decision, nginxTtl: number): string {
  const { verdict, source } = decision
  const seconds = secondsForNginx(decision, nginxTtl)
  if (seconds > 0) return String(seconds)
  // "0" would leave an older allow where it lies, and nginx would fall back on it when no gate answers.
  return verdict === 'deny' && (source === 'backend' || source === 'session' || source === 'stale')
    ? EXPIRED
    : '0'
}
