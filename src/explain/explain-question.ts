import type { Exchange } from '../backend/rehearsed-ask.ts'
import type { ExplainedQuestion } from './explanation.ts'
import { maskQuery, maskText } from './mask-query.ts'

/**
 * Headers whose values are shown: those of the gate, and those that say something about a verdict. Any other
 * may hold a token.
 */
const shownHeaders: ReadonlySet<string> = new Set([
  ...['host', 'accept', 'x-session-id', 'x-real-ip', 'x-real-origin', 'x-real-ua'],
  ...['x-authduration', 'x-userid', 'x-session-name', 'x-max-sessions', 'x-unique'],
  ...['content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'date', 'server'],
  ...['x-powered-by', 'retry-after', 'www-authenticate'],
])

/**
 * A question and its answer for people: names of parameters without their values, no password.
 * @param maskPath shows a path without the credential in it
 */
export function explainQuestion(
  { endpoint, request, came, took }: Exchange,
  maskPath: (path: string) => string,
): ExplainedQuestion {
  const { name, protocol, authority } = endpoint
  return {
    backend: name,
    url: request === undefined ? null : maskTarget(`${protocol}//${authority}${request.target}`),
    headers: request === undefined ? {} : maskHeaders(request.headers, maskPath),
    status: came.kind === 'reply' ? came.reply.status : null,
    answerHeaders: came.kind === 'reply' ? maskHeaders(came.reply.headers, maskPath) : {},
    failure: came.kind === 'failure' ? `${came.reason}: ${came.message}` : null,
    ms: took,
  }
}

function maskTarget(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? url : `${url.slice(0, mark)}?${maskQuery(url.slice(mark + 1))}`
}

function maskHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  maskPath: (path: string) => string,
): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    const text = Array.isArray(value) ? value.join(', ') : value
    const low = name.toLowerCase()
    if (low === 'x-real-path') shown[name] = maskPath(text)
    else if (low === 'location') shown[name] = maskLocation(text, maskPath)
    else if (low === 'authorization') shown[name] = '***'
    else shown[name] = shownHeaders.has(low) ? text : maskText(text)
  }
  return shown
}

/** Shows where a redirect leads, without parameters, fragment, password and path credential. */
function maskLocation(text: string, maskPath: (path: string) => string): string {
  const [, site = '', path = '', query = ''] =
    /^((?:(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?]*)?)([^?]*)(.*)$/is.exec(text.replace(/#.*$/s, '')) ?? []
  return maskTarget(`${site.replace(/\/\/.*@/s, '//***@')}${maskPath(path)}${query}`)
}
