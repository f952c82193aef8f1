import { type Refusal, readSubrequest } from '../gate/read-subrequest.ts'
import type { Subrequest } from '../subrequest.ts'

/** A client's request as a person describes it. Texts are as the client sends them. */
interface ClientRequest {
  /** With scheme and host. */
  readonly url: string
  readonly address: string
  readonly userAgent: string
  readonly playbackId: string
}

/** The request cannot be explained. The message is one sentence with the cure. */
export class ExplainError extends Error {
  override readonly name = 'ExplainError'
}

const urlShape = /^(https?):\/\/([^/?#]*)([^?#]*)(.*)$/is

/**
 * Reads the request as the gate would get it from the shipped nginx files. The operator's own rewrites are
 * not known here.
 * @throws {ExplainError} when nginx would not ask the gate
 */
export function readClientRequest({
  url,
  address,
  userAgent,
  playbackId,
}: ClientRequest): Subrequest | Refusal {
  const parts = urlShape.exec(bytesOf(url.trim()))
  if (parts === null) {
    throw new ExplainError(
      'the URL must be a whole one, as the player asks for it: https://live.example.com/live/news/index.m3u8?token=…',
    )
  }
  const [, scheme = '', host = '', rawPath = '', rest = ''] = parts
  return readSubrequest({
    'x-original-ip': address,
    'x-original-origin': `${scheme.toLowerCase()}://${host.toLowerCase()}`,
    'x-original-path': `${normalise(rawPath)}|`,
    'x-original-uri': `${rawPath || '/'}${rest}`,
    'x-original-ua': bytesOf(userAgent),
    'x-original-playback-id': bytesOf(playbackId),
  })
}

/** A text as UTF-8 bytes, one character for each byte: so Node gives header values. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/**
 * The path that nginx serves (ngx_http_parse_complex_uri): decoded, several slashes merged to one, dots
 * resolved. An encoded slash or dot counts like a written one.
 */
function normalise(rawPath: string): string {
  const decoded = rawPath.replace(/%([0-9A-Fa-f]{2})?/g, (_, hex?: string) => {
    if (hex === undefined || hex === '00') throw new ExplainError('nginx answers 400: bad % in the path')
    return String.fromCharCode(Number.parseInt(hex, 16))
  })
  const steps: string[] = []
  const written = decoded.split('/').slice(1)
  for (const [index, step] of written.entries()) {
    const isLast = index === written.length - 1
    if (step === '..') {
      if (steps.pop() === undefined) throw new ExplainError('nginx answers 400: the path leaves the site')
    } else if (step !== '.' && step !== '') steps.push(step)
    // A path that ends in a slash or in dots is a directory.
    if (isLast && (step === '' || step === '.' || step === '..')) steps.push('')
  }
  return `/${steps.join('/')}`
}
