import { createServer, type RequestListener, type Server } from 'node:http'

/** Milliseconds until a request must have arrived as a whole, and how often the slow ones are looked for. */
const ARRIVES_WITHIN = 10_000
const CHECK_EVERY = 1_000
/** Milliseconds without a byte in either direction; longer than any question may take. */
const SILENCE = 90_000
/** Those of 32 pages with six connections each, scrapers and people. */
const MAX_CONNECTIONS = 512

/** The admin HTTP server: slow clients cannot pin it. */
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
