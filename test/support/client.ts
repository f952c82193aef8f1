import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A viewer's request, byte by byte where that matters. */
export interface ClientRequest {
  readonly port: number
  /** The request target, sent as it is (latin-1). */
  readonly target: string
  readonly method?: string
  /** Raw header lines; `Host: localhost:port` and `Connection: close` come first unless `host` is given. */
  readonly headers?: readonly string[]
  /** The whole Host line; empty = none. */
  readonly host?: string
  readonly body?: string
  readonly version?: string
  readonly address?: string
  readonly tls?: boolean
}

export interface ClientAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
  /** Milliseconds from the first byte sent to the end. */
  readonly took: number
}

/** Sends one request on a connection of its own and reads to the end of the connection. */
export function request(options: ClientRequest): Promise<ClientAnswer> {
  const {
    port,
    target,
    method = 'GET',
    headers = [],
    body = '',
    version = 'HTTP/1.1',
    address = '127.0.0.1',
  } = options
  const host = options.host ?? `Host: localhost:${port}`
  const lines = [
    `${method} ${target} ${version}`,
    ...(host === '' ? [] : [host]),
    'Connection: close',
    ...headers,
  ]
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  return exchange({ port, address, tls: options.tls === true }, bytes)
}

/** Sends bytes as they are. */
export function exchange(
  to: { readonly port: number; readonly address?: string; readonly tls?: boolean },
  bytes: Buffer,
): Promise<ClientAnswer> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const host = to.address ?? '127.0.0.1'
    const socket =
      to.tls === true
        ? connectTls({ port: to.port, host, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
        : connect(to.port, host)
    const received: Buffer[] = []
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer within 20 s')))
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const text = Buffer.concat(received).toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const head = end === -1 ? text : text.slice(0, end)
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0)
      resolve({ status, head, body: end === -1 ? '' : text.slice(end + 4), took: performance.now() - began })
    })
    socket.write(bytes)
  })
}

/** One request over HTTP/2; the status. */
export async function requestHttp2(
  tlsPort: number,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const session: ClientHttp2Session = connectHttp2(`https://localhost:${tlsPort}`, {
    rejectUnauthorized: false,
  })
  try {
    return await new Promise<number>((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request({ ':path': target, ...headers })
      stream.on('error', reject)
      stream.on('response', (answer) => resolve(Number(answer[':status'])))
      stream.resume()
    })
  } finally {
    session.destroy()
  }
}
