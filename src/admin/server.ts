import { createServer, type RequestListener, type Server } from 'node:http'

/**
 * Milliseconds in which a request must arrive as a whole, and milliseconds between two checks for slow
 * requests.
 */
const ARRIVES_WITHIN = 10_000
const CHECK_EVERY = 1_000
/** Milliseconds that a connection may be silent. Longer than any question may take. */
const SILENCE = 90_000
/** Enough for 32 pages with six connections each, for scrapers and for people. */
const MAX_CONNECTIONS = 512

/** The admin HTTP server. Slow clients cannot block it. */
export function createAdminServer(app: RequestListener): Server {
  const server = createServer(
    {
      requestTimeout: ARRIVES_WITHIN,
      connectionsCheckingInterval: CHECK_EVERY,
    },
    app,
  )
  server.timeout = SILENCE
  server.maxConnections = MAX_CONNECTIONS
  return server
}
