import express, { type Express } from 'express'

/** What the admin listener tells; functions, so that each answer is the state of its moment. */
export interface AdminOptions {
  readonly readiness: () => Readiness
}

/** Whether the gate can decide, whatever the backend's state, which the rest tells. */
export interface Readiness {
  readonly ready: boolean
  /** Why not; empty when ready. */
  readonly reasons: readonly string[]
  readonly [detail: string]: unknown
}

/** Health for people and orchestrators, on a listener of its own that nginx never sees. */
export function createAdminApp({ readiness }: AdminOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.get('/healthz', (_request, response) => {
    response.json({ alive: true })
  })
  app.get('/readyz', (_request, response) => {
    const body = readiness()
    response.status(body.ready ? 200 : 503).json(body)
  })
  app.use((_request, response) => {
    response.status(404).json({ error: 'not found; there are /healthz and /readyz' })
  })
  return app
}
