import { randomBytes } from 'node:crypto'
import type { Endpoint } from '../client/endpoint.ts'
import type { Log } from '../log/log.ts'
import type { Session } from '../session/session.ts'
import type { SessionView, ToIso } from '../session/session-view.ts'
import { DEADLINE } from './delivery.ts'
import { createPoster } from './post.ts'
import { createSessionEvents, type SessionEvents } from './session-events.ts'

/** Where events go, and about which sessions. */
interface WebhookOptions {
  readonly endpoint: Endpoint
  /** Milliseconds between two interim events of a session; 0 = none. */
  readonly interim: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  readonly viewOf: (session: Session) => SessionView
  readonly log: Log
}

/** Posts session events to one receiver over HTTP, in real time. */
export function createWebhook(options: WebhookOptions): SessionEvents {
  const { endpoint, interim, clock, toIso, viewOf, log } = options
  const { post, close } = createPoster(endpoint, DEADLINE)
  const events = createSessionEvents({
    gate: randomBytes(16).toString('base64url'),
    receiver: endpoint.name,
    post,
    interim,
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
