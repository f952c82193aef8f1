import { createServer } from 'node:http'
import { listenOnLoopback } from './listen-on-loopback.ts'
import type { Scope } from './scope.ts'

/**
 * Listens in place of a gate, and refuses each request with the reason that its query is, such as
 * `?backend-403`.
 */
export async function startNamingGate(scope: Scope): Promise<string> {
  const server = createServer(({ headers }, response) => {
    const reason = String(headers['x-original-uri']).split('?')[1] ?? ''
    const told = { 'X-Auth-Verdict': 'deny', 'X-Auth-Source': 'gate', 'X-Auth-Reason': reason }
    response.writeHead(403, told).end()
  })
  const { port } = await listenOnLoopback(scope, server, 0)
  return `127.0.0.1:${port}`
}
