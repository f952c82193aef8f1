import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Scope } from './scope.ts'

export interface TlsBackend {
  readonly port: number
  /** HTTP requests that came through the handshake. */
  asked(): number
  /** Connections that were opened, whatever became of them. */
  connections(): number
}

/** An https middleware that allows whatever it is asked. */
export async function startTlsBackend(scope: Scope, options: ServerOptions): Promise<TlsBackend> {
  let asked = 0
  let connections = 0
  const server = createServer(options, (_request, response) => {
    asked++
    response.end()
  })
  server.on('connection', () => connections++)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const { port } = server.address() as AddressInfo
  return { port, asked: () => asked, connections: () => connections }
}
