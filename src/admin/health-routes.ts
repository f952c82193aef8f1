import type { Guard } from './guard.ts'
import type { Routes } from './routes.ts'

/** Whether the gate can decide. The state of the backend does not count here; other fields show it. */
export interface Readiness {
  readonly ready: boolean
  /** Why the gate cannot decide; empty when it can. */
  readonly reasons: readonly string[]
  readonly [detail: string]: unknown
}

/** Health for orchestrators, open to everybody. Only requests that `guard` accepts get the details. */
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
