import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Scope } from './scope.ts'

export interface Http2Request {
  readonly target: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

export interface Http2Answer {
  readonly status: number
  readonly body: string
}

/** A viewer who sends all requests over one HTTP/2 connection. */
export interface Http2Viewer {
  request(options: Http2Request): Promise<Http2Answer>
}

export async function connectHttp2Viewer(scope: Scope, tlsPort: number): Promise<Http2Viewer> {
  const session: ClientHttp2Session = connect(`https://localhost:${tlsPort}`, { rejectUnauthorized: false })
  scope.after(() => session.destroy())
  await once(session, 'connect')
  return {
    request: ({ target, method = 'GET', headers = {}, body }) =>
      new Promise((resolve, reject) => {
        const stream = session.request(
          { ':path': target, ':method': method, ...headers },
          { endStream: body === undefined },
        )
        let status = 0
        let received = ''
        stream.setEncoding('latin1')
        stream.on('response', (answer) => {
          status = Number(answer[':status'])
        })
        stream.on('data', (chunk: string) => {
          received += chunk
        })
        stream.on('error', reject)
        stream.on('close', () => resolve({ status, body: received }))
        if (body !== undefined) stream.end(body)
      }),
  }
}
