import type { UnavailableReason } from '../verdict.ts'
import type { Asked } from './ask-invented.ts'
import { type Finding, failed, ok, skipped } from './finding.ts'

export interface AnswerOptions {
  /** What was waited at most, in milliseconds. */
  readonly limit: number
  readonly unavailableStatus: ReadonlySet<number>
  /** Whether BACKEND_URL holds user and password. */
  readonly hasPassword: boolean
  /** Whether the port of an http:// URL speaks TLS. */
  readonly speaksTls: boolean
}

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

/** Whether there is an answer that can be a verdict, and how fast. */
export function checkAnswer(asked: Asked, options: AnswerOptions): Finding {
  const name = 'backend-answer'
  if (asked.kind === 'unavailable') {
    const detail = { reason: asked.reason, ms: asked.ms }
    if (options.speaksTls)
      return failed(
        name,
        'the port speaks TLS, but BACKEND_URL says http://',
        'write https:// in BACKEND_URL',
        detail,
      )
    const [finding, remedy] = failures[asked.reason] ?? [
      `no answer within ${options.limit} ms`,
      'make it faster, or raise BACKEND_TIMEOUT; the log of the backend tells what it waits for',
    ]
    return failed(name, finding, remedy, detail)
  }
  const { reply, ms } = asked
  const { status } = reply
  const detail = { status, ms }
  const sentence = `answers ${status} (${ms} ms)`
  if (options.unavailableStatus.has(status)) {
    const remedy = 'see the log of the backend: the default action decides while it answers so'
    return failed(
      name,
      `answers ${status}, which UNAVAILABLE_STATUS counts as no answer (${ms} ms)`,
      remedy,
      detail,
    )
  }
  if (
    status === 401 &&
    /^(?:basic|digest|negotiate|ntlm)\b/i.test(textOf(reply.headers['www-authenticate']))
  ) {
    return options.hasPassword
      ? failed(
          name,
          'does not take the user and password of BACKEND_URL (401)',
          'correct them; percent-encode special characters',
          detail,
        )
      : failed(
          name,
          'wants a user and a password (401)',
          'write them in BACKEND_URL: http://user:password@host/path',
          detail,
        )
  }
  if (status === 400 && options.speaksTls)
    return failed(
      name,
      'the port speaks TLS, but BACKEND_URL says http:// (400)',
      'write https:// in BACKEND_URL',
      detail,
    )
  if (status >= 500) {
    const remedy =
      'see the log of the backend. Any status but 200 denies; UNAVAILABLE_STATUS can name those that mean a broken backend'
    return failed(name, `${sentence}: an error of its own, and a deny for everybody`, remedy, detail)
  }
  return ok(name, sentence, detail)
}

/** A redirect is not followed: it denies everybody. */
export function checkRedirect(asked: Asked, url: string): Finding {
  const name = 'backend-redirect'
  if (asked.kind === 'unavailable') return skipped(name, 'not seen: there is no answer')
  const { status, headers } = asked.reply
  if (status < 300 || status > 399) return ok(name, 'none')
  const location = textOf(headers['location'])
  const target = location !== '' && URL.canParse(location, url) ? new URL(location, url) : undefined
  if (target === undefined || !/^https?:$/.test(target.protocol)) {
    const remedy = 'write the URL of the script that decides in BACKEND_URL'
    return failed(name, `answers ${status}, and any status but 200 denies everybody`, remedy, { status })
  }
  // Its query may hold what was asked, and its user part a password.
  const final = `${target.origin}${target.pathname}`
  const remedy = `redirects are not followed; if that is where it decides, BACKEND_URL=${final} (and your own parameters behind it)`
  return failed(name, `redirects to ${target.host} (${status}), which denies everybody`, remedy, {
    status,
    location: final,
  })
}

/** A backend that allows nonsense lets everybody in. */
export function checkToken(asked: Asked): Finding {
  const name = 'backend-token'
  if (asked.kind === 'unavailable') return skipped(name, 'not seen: there is no answer')
  const { status, headers } = asked.reply
  if (status !== 200) return ok(name, `an invented token is denied (${status})`, { status })
  const isPage = /^text\/html\b/i.test(textOf(headers['content-type']))
  return failed(
    name,
    `an invented token is allowed (200${isPage ? ', with an HTML page' : ''}): everybody would be let in`,
    isPage
      ? 'is that a login page or a start page? BACKEND_URL must name the script that decides'
      : 'is the path of BACKEND_URL right? Does the script look at the token, under this name?',
    { status },
  )
}

function textOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? ''
}
