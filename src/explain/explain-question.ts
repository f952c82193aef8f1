import type { Exchange } from '../backend/rehearsed-ask.ts'
import type { ExplainedQuestion } from './explanation.ts'
import { maskQuery, maskText } from './mask-query.ts'

/**
 * Headers whose values are shown: those of the gate, and those that say something about a verdict. Any other
 * may hold a token.
 */
const shownHeaders: ReadonlySet<string> = new Set([
  ...['host', 'accept', 'x-session-id', 'x-real-ip', 'x-real-path', 'x-real-origin', 'x-real-ua'],
  ...['x-authduration', 'x-userid', 'x-session-name', 'x-max-sessions', 'x-unique'],
  ...['content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'date', 'server'],
  ...['x-powered-by', 'retry-after', 'www-authenticate'],
])

/** A question and its answer for people: names of parameters without their values, no password. */
export function explainQuestion({ endpoint, request, came, took }: Exchange): ExplainedQuestion {
  const { name, protocol, authority } = endpoint
  return {
    backend: name,
    url: request === undefined ? null : maskTarget(`${protocol}//${authority}${request.target}`),
    headers: request === undefined ? {} : maskHeaders(request.headers),
    status: came.kind === 'reply' ? came.reply.status : null,
    answerHeaders: came.kind === 'reply' ? maskHeaders(came.reply.headers) : {},
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
): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    const text = Array.isArray(value) ? value.join(', ') : value
    shown[name] = shownHeaders.has(name.toLowerCase()) ? text : maskSecret(name, text)
  }
  return shown
}

/** Shows where a redirect leads, without parameters, fragment and password. */
function maskSecret(name: string, text: string): string {
  if (name.toLowerCase() === 'authorization') return '***'
  if (name.toLowerCase() !== 'location') return maskText(text)
  return maskTarget(text.replace(/#.*$/s, '').replace(/^((?:[a-z][a-z0-9+.-]*:)?\/\/)[^/?]*@/i, '$1***@'))
}
