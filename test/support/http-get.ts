import { type Agent, type IncomingHttpHeaders, request } from 'node:http'
import { type GateQuestion, gateHeaders } from './ask-gate.ts'

/** Where to ask; 127.0.0.1 unless `host` or `socketPath` is given. */
export interface GetFrom {
  readonly port?: number
  readonly host?: string
  readonly socketPath?: string
  /** Connections to share; otherwise the request has one of its own. */
  readonly agent?: Agent
}

export interface GetAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A plain GET on whatever Node can connect to: TCP, Unix sockets, connections kept alive. */
export function get(
  from: GetFrom,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<GetAnswer> {
  return send(from, 'GET', path, headers)
}

/** A request without a body, of any method. */
export function send(
  from: GetFrom,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<GetAnswer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', agent: false, ...from, method, path, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })
}

/** Asks the gate directly, in nginx's place, wherever it listens. */
export function getVerdict(from: GetFrom, question: GateQuestion = {}): Promise<GetAnswer> {
  const lines = gateHeaders(question).map((line) => /^(.*?): (.*)$/.exec(line)?.slice(1) ?? [])
  return get(from, '/auth', Object.fromEntries(lines))
}
