import { type EventStream, MAX_READERS } from './event-stream.ts'
import { readParameters } from './read-parameters.ts'
import { RequestMistake } from './request-mistake.ts'
import type { Routes } from './routes.ts'

/** What the routes show. */
export interface WatchRoutesOptions {
  /** The text that Prometheus scrapes. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>
  /** The event stream that the live page reads. */
  readonly live: Pick<EventStream, 'add'>
}

/** Metrics for Prometheus, and events for the live page. */
export function createWatchRoutes({ metrics, live }: WatchRoutesOptions): Routes {
  return {
    '/metrics': {
      async GET(request, response) {
        readParameters(request, [])
        const { contentType, body } = await metrics()
        response.set('Content-Type', contentType).send(body)
      },
    },
    '/events': {
      GET(request, response) {
        readParameters(request, [])
        if (request.method === 'HEAD') return void response.type('text/event-stream').end()
        if (live.add(response)) return
        throw new RequestMistake(503, `${MAX_READERS} readers are connected already; close one of the pages`)
      },
    },
  }
}
