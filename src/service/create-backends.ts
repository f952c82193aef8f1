import { createAddressGroupsOf } from '../address.ts'
import { type Ask, createAsk } from '../backend/ask-backends.ts'
import { type Backend, createBackend } from '../backend/backend.ts'
import {
  type BackendHealth,
  type BackendHealthOptions,
  createBackendHealth,
} from '../backend/backend-health.ts'
import type { Exchange } from '../backend/rehearsed-ask.ts'
import type { Settings } from '../config/read-settings.ts'
import type { Outcome } from '../verdict.ts'

interface BackendsOptions extends Omit<BackendHealthOptions, 'backend'> {
  readonly settings: Settings
  /** One backend, by its index in BACKEND_URL, gave this outcome after `took` milliseconds. */
  readonly onOutcome: (place: number, outcome: Outcome, took: number) => void
  readonly onInternalError: (error: unknown) => void
}

/** The backends of BACKEND_URL as one. */
export interface Backends {
  readonly ask: Ask
  /** As `ask`, but changes nothing; calls `seen` with each exchange. */
  rehearse(seen: (exchange: Exchange) => void): Ask
  /** In the operator's order. */
  readonly each: readonly (Backend & { readonly health: BackendHealth })[]
  close(): Promise<void>
}

/** @throws {Error} when the settings have no backend, which `readSettings` rules out */
export function createBackends(options: BackendsOptions): Backends {
  const { settings, clock, onInternalError } = options
  const { backendMode: mode, backendTimeout: timeout } = settings
  const groupsOf = createAddressGroupsOf(settings.clientPrefixes)
  const each = settings.backends.map((endpoint, place) => {
    const health = createBackendHealth({ ...options, backend: endpoint.name })
    const backend = createBackend({
      endpoint,
      concurrency: settings.backendConcurrency,
      timeout,
      unavailableStatus: settings.unavailableStatus,
      groupsOf,
      clock,
      onOutcome(outcome, took) {
        health.note(outcome)
        options.onOutcome(place, outcome, took)
      },
      onInternalError,
    })
    return { ...backend, health }
  })
  const [first, ...others] = each
  if (first === undefined) throw new Error('settings without a backend')
  return {
    ask: createAsk({ mode, timeout, clock, backends: [first.ask, ...others.map(({ ask }) => ask)] }),
    rehearse: (seen) =>
      createAsk({
        mode,
        timeout,
        clock,
        backends: [first.rehearse(seen), ...others.map(({ rehearse }) => rehearse(seen))],
      }),
    each,
    async close() {
      await Promise.all(each.map((backend) => backend.close()))
    },
  }
}
