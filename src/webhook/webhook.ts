import { randomBytes } from 'node:crypto'
import type { Endpoint } from '../client/endpoint.ts'
import type { Log } from '../log/log.ts'
import type { Session } from '../session/session.ts'
import type { SessionView, ToIso } from '../session/session-view.ts'
import { DEADLINE } from './delivery.ts'
import { createPoster } from './post.ts'
import { createSessionEvents, type SessionEvents } from './session-events.ts'

/** Where events go, and about which sessions. */
export interface WebhookOptions {
  readonly endpoint: Endpoint
  /** Milliseconds that a session must last to be posted; 0 = all are posted. */
  readonly minTime: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  readonly viewOf: (session: Session) => SessionView
  readonly log: Log
}

/** Posts session events to one receiver over HTTP, in real time. */
export function createWebhook(options: WebhookOptions): SessionEvents {
  const { endpoint, minTime, clock, toIso, viewOf, log } = options
  const { post, close } = createPoster(endpoint, DEADLINE)
  const events = createSessionEvents({
    gate: randomBytes(16).toString('base64url'),
    receiver: endpoint.name,
    post,
    minTime,
    clock,
    toIso,
    viewOf,
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
