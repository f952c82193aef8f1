import { createServer, type ServerOptions } from 'node:https'
import { listenOnLoopback } from './listen-on-loopback.ts'
import type { Scope } from './scope.ts'

export interface TlsBackend {
  readonly port: number
  /** HTTP requests that came after a handshake. */
  asked(): number
  /** Connections that were opened, with or without a handshake. */
  connections(): number
}

/** An https backend that allows everything. */
export async function startTlsBackend(scope: Scope, options: ServerOptions): Promise<TlsBackend> {
  let asked = 0
  let connections = 0
  const server = createServer(options, (_request, response) => {
    asked++
    response.end()
  })
  server.on('connection', () => connections++)
  server.on('tlsClientError', () => {})
  const { port } = await listenOnLoopback(scope, server)
  return { port, asked: () => asked, connections: () => connections }
}
