import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CONTROL_NAME } from '../../src/client/alta-contract.ts'
import { listenOnLoopback } from './listen-on-loopback.ts'
import type { Scope } from './scope.ts'

/** A question as it came in. */
export interface Asked {
  readonly method: string
  /** The request target, byte for byte. */
  readonly target: string
  /** Names as sent. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Backend {
  readonly url: string
  readonly port: number
  /** The questions of clients. */
  readonly asked: Asked[]
  /** The control questions of the gate. They tell an outage from a failure that one question causes. */
  readonly controls: Asked[]
  /** What it answers from now on. */
  answer: (asked: Asked, response: ServerResponse, request: IncomingMessage) => void
  stop(): Promise<void>
}

/** A backend that records its questions. It allows everything unless `answer` is changed. */
export async function startBackend(scope: Scope, port = 0): Promise<Backend> {
  const asked: Asked[] = []
  const controls: Asked[] = []
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const headers: Record<string, string> = {}
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      headers[request.rawHeaders[at] ?? ''] = request.rawHeaders[at + 1] ?? ''
    }
    const question = { method: request.method ?? '', target: request.url ?? '', headers }
    if (question.headers['X-Real-Ua'] === CONTROL_NAME) controls.push(question)
    else asked.push(question)
    backend.answer(question, response, request)
  })
  const { port: used, stop } = await listenOnLoopback(scope, server, port)
  const backend: Backend = {
    url: `http://127.0.0.1:${used}`,
    port: used,
    asked,
    controls,
    answer: (_asked, response) => void response.end(),
    stop,
  }
  return backend
}

/** Answers with this status. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Backend['answer'] {
  return (_asked, response) => void response.writeHead(code, headers).end()
}
