import assert from 'node:assert/strict'
import type { Environment } from '../../src/config/read-settings.ts'
import { type Gate, startGate } from './gate.ts'
import { get } from './http-get.ts'
import type { Scope } from './scope.ts'

/** What `/readyz` shows of one backend. */
export interface BackendReadiness {
  readonly state: 'unasked' | 'answers' | 'unavailable'
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly inFlight: number
  readonly waiting: number
}

export interface WatchedGate extends Gate {
  /** The first backend, as `/readyz` shows it. */
  backend(): Promise<BackendReadiness>
}

/** A gate with its admin listener. */
export async function startWatchedGate(scope: Scope, environment: Environment): Promise<WatchedGate> {
  const gate = await startGate(scope, { ADMIN_LISTEN: '127.0.0.1:0', ...environment })
  return Object.assign(gate, { backend: () => readBackend(gate.adminPort) })
}

/** Asks the admin listener on this port about the first backend. */
export async function readBackend(adminPort: number): Promise<BackendReadiness> {
  const answer = await get({ port: adminPort }, '/readyz')
  assert.equal(answer.status, 200, 'ready, whatever the backend does')
  const { backends } = JSON.parse(answer.body) as { backends: readonly BackendReadiness[] }
  const [first] = backends
  assert.ok(first !== undefined)
  return first
}
