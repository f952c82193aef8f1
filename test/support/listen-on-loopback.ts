import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Scope } from './scope.ts'

export interface Listening {
  readonly port: number
  /** Ends its connections, too. A second call does nothing. */
  stop(): Promise<void>
}

/** Lets a server listen on 127.0.0.1 until the scope ends, on a port of its own unless one is given. */
export async function listenOnLoopback(
  scope: Scope,
  server: Server | SecureServer,
  port = 0,
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  scope.after(stop)
  return { port: (server.address() as AddressInfo).port, stop }
}
