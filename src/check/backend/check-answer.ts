import { headerOf, type Reply } from '../../client/client.ts'
import type { UnavailableReason } from '../../verdict.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Asked } from './ask-invented.ts'

/** How the question was asked. */
interface AnswerOptions {
  /** The most milliseconds that the question could take. */
  readonly limit: number
  readonly unavailableStatus: ReadonlySet<number>
  /** Whether BACKEND_URL holds user and password. */
  readonly hasPassword: boolean
  /** Whether TLS answers at the port of an http:// URL. */
  readonly speaksTls: boolean
}

const { ok, warning, failed } = findingsOf('backend-answer')

const failures: Readonly<Partial<Record<UnavailableReason, readonly [finding: string, remedy: string]>>> = {
  refused: ['the connection is refused', 'is the backend running?'],
  reset: ['the connection is reset', 'see the log of the backend'],
  closed: ['the connection is closed before an answer', 'see the log of the backend; does the script crash?'],
  dns: ['the name has no known address', 'check the name and the resolver'],
  tls: [
    'the TLS handshake fails once the question is asked',
    'does the backend want a certificate of ours? That is not possible; see its log',
  ],
  'not-http': ['what answers there is not HTTP', 'is the port of BACKEND_URL right?'],
}

/** Checks that the backend answers with a verdict, and how fast. */
export function checkAnswer(asked: Asked, options: AnswerOptions): Finding {
  return asked.kind === 'unavailable'
    ? judgeUnavailable(asked.reason, asked.ms, options)
    : judgeStatus(asked.reply, asked.ms, options)
}

const noTls = ['the port speaks TLS, but BACKEND_URL says http://', 'write https:// in BACKEND_URL'] as const

function judgeUnavailable(reason: UnavailableReason, ms: number, options: AnswerOptions): Finding {
  const { limit, speaksTls } = options
  const slow = 'make it faster, or raise BACKEND_TIMEOUT; the log of the backend tells what it waits for'
  const known = speaksTls ? noTls : failures[reason]
  const [sentence, remedy] = known ?? [`no answer within ${limit} ms`, slow]
  return failed(sentence, remedy, { reason, ms })
}

function judgeStatus(reply: Reply, ms: number, options: AnswerOptions): Finding {
  const { unavailableStatus, hasPassword, speaksTls } = options
  const { status } = reply
  const detail = { status, ms }
  const sentence = `answers ${status} (${ms} ms)`
  if (unavailableStatus.has(status)) {
    const said = `answers ${status}, which UNAVAILABLE_STATUS counts as no answer (${ms} ms)`
    const remedy = 'see the log of the backend: the default action decides while it answers so'
    return failed(said, remedy, detail)
  }
  if (status === 401 && wantsPassword(reply)) {
    const [said, remedy] = hasPassword
      ? [
          'does not take the user and password of BACKEND_URL',
          'correct them; percent-encode special characters',
        ]
      : ['wants a user and a password', 'write them in BACKEND_URL: http://user:password@host/path']
    return failed(`${said} (401)`, remedy, detail)
  }
  if (status === 400 && speaksTls) return failed(`${noTls[0]} (400)`, noTls[1], detail)
  if (status >= 500) {
    const remedy =
      'see the log of the backend. Any status but 200 denies; UNAVAILABLE_STATUS can name those that mean a broken backend'
    return failed(`${sentence}: an error of its own, and a deny for everybody`, remedy, detail)
  }
  const server = webServerOf(reply)
  if (server !== undefined && unavailableStatus.size === 0) {
    const said = `answers ${status} by way of ${server} (${ms} ms): where the script behind it is dead, new viewers are denied`
    const remedy = 'if the default action should decide about them then, set UNAVAILABLE_STATUS=502 503 504'
    return warning(said, remedy, detail)
  }
  return ok(sentence, undefined, detail)
}

/** Web servers that pass requests on to scripts, and answer 502, 503 or 504 in the place of a dead one. */
const webServers =
  /^(?:nginx|openresty|angie|tengine|apache|litespeed|openlitespeed|lighttpd|caddy|h2o|haproxy|iis|microsoft-iis)\b/i

function webServerOf(reply: Reply): string | undefined {
  return webServers.exec(headerOf(reply, 'server') ?? '')?.[0]
}

function wantsPassword(reply: Reply): boolean {
  return /^(?:basic|digest|negotiate|ntlm)\b/i.test(headerOf(reply, 'www-authenticate') ?? '')
}
