import { randomBytes } from 'node:crypto'
import type { Endpoint } from '../backend/endpoint.ts'
import type { Log } from '../log/log.ts'
import type { ToIso } from '../session/session-view.ts'
import { DEADLINE } from './delivery.ts'
import { createPoster } from './post.ts'
import { createSessionEvents, type SessionEvents } from './session-events.ts'

export interface WebhookOptions {
  readonly endpoint: Endpoint
  /** Sessions that last shorter are not told of; milliseconds, 0 = all are. */
  readonly minTime: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  readonly log: Log
}

/** Session events over HTTP to one receiver, as the real time passes. */
export function createWebhook({ endpoint, minTime, clock, toIso, log }: WebhookOptions): SessionEvents {
  const { post, close } = createPoster(endpoint, DEADLINE)
  const events = createSessionEvents({
    gate: randomBytes(16).toString('base64url'),
    receiver: endpoint.name,
    post,
    minTime,
    clock,
    toIso,
    after(milliseconds, act) {
      const timer = setTimeout(act, milliseconds).unref()
      return () => clearTimeout(timer)
    },
    random: Math.random,
    log,
  })
  return {
    ...events,
    async stop() {
      await events.stop()
      await close()
    },
  }
}
