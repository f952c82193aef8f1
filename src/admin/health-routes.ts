import type { Guard } from './guard.ts'
import type { Routes } from './routes.ts'

/** Whether the gate can decide, whatever the backend's state, which the rest tells. */
export interface Readiness {
  readonly ready: boolean
  /** Why not; empty when ready. */
  readonly reasons: readonly string[]
  readonly [detail: string]: unknown
}

/** Health for orchestrators, open to everybody; the details only to whom `guard` lets in. */
export function createHealthRoutes(readiness: () => Readiness, guard: Guard): Routes {
  return {
    '/healthz': { GET: (_request, response) => void response.json({ alive: true }) },
    '/readyz': {
      GET(request, response) {
        const body = readiness()
        const { ready, reasons } = body
        const mayKnow = guard(request) === undefined
        response.status(ready ? 200 : 503).json(mayKnow ? body : { ready, reasons })
      },
    },
  }
}
