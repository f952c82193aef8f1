import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Stops accepting, waits up to `patience` milliseconds for requests in flight, then closes all connections.
 */
export async function closeServers(servers: readonly Server[], patience: number): Promise<void> {
  const enough = new AbortController()
  await Promise.race([
    Promise.all(servers.map(close)),
    delay(patience, undefined, { signal: enough.signal }).catch(() => {}),
  ])
  enough.abort()
  for (const server of servers) server.closeAllConnections()
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => server.close(() => resolve()))
}
