import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createEventStream, eventText } from './event-stream.ts'
import { followLog } from './follow-log.ts'
import { readLoggedDecision } from './logged-decision.ts'
import { foreignness } from './own-request.ts'
import type { Edge } from './read-edges.ts'

/** A default action of the gate. */
export type Action = 'allow' | 'deny'

/** What the buttons of the page do. */
export interface Controls {
  readonly backend: 'running' | 'stopped'
  readonly defaultAction: Action
  stopBackend(): Promise<void>
  startBackend(): Promise<void>
  setDefaultAction(action: Action): Promise<void>
}

/** What the page shows. */
export interface PageServerOptions {
  /** nginx's access log, in the format `alta_auth`, or the several nginx between which the page chooses. */
  readonly accessLog: string | readonly Edge[]
  /** Without controls the page shows commands to copy in place of buttons. */
  readonly controls?: Controls
}

/** The server of the page. */
export interface PageServer {
  readonly server: Server
  /** Ends the server, and the streams of all pages. */
  end(): void
}

/**
 * What nginx passes on at `/demo/`, unprotected: `GET state`, and `GET events` (Server-Sent Events: `state`
 * and `decision`). With controls also `POST backend/stop`, `POST backend/start`, `POST default-action/allow`
 * and `POST default-action/deny`.
 */
export function createPageServer({ accessLog, controls }: PageServerOptions): PageServer {
  const events = createEventStream()
  const edges = typeof accessLog === 'string' ? [] : accessLog
  const state = (): object => ({
    ...(controls === undefined
      ? { controls: false }
      : { controls: true, backend: controls.backend, defaultAction: controls.defaultAction }),
    ...(edges.length > 0 && { edges: edges.map(({ port }) => port) }),
  })
  const acts = controls === undefined ? {} : actsOf(controls)
  // One action after the other, so that two quick clicks do not start the gate twice.
  let last: Promise<unknown> = Promise.resolve()

  const press = (response: ServerResponse, act: () => Promise<string>): void => {
    const done = last.then(act)
    last = done.catch(() => undefined)
    done.then(
      (sentence) => {
        events.say(eventText('state', state()))
        response.end(`${sentence}\n`)
      },
      (error: unknown) => response.writeHead(500).end(`${error instanceof Error ? error.message : error}\n`),
    )
  }
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    const refusal = foreignness(request)
    const path = (request.url ?? '').replace(/\?.*$/, '')
    const act = Object.hasOwn(acts, path) ? acts[path] : undefined
    const method = act === undefined ? 'GET' : 'POST'
    if (refusal !== undefined) response.writeHead(403).end(`${refusal}\n`)
    else if (act === undefined && path !== '/demo/state' && path !== '/demo/events')
      response.writeHead(404).end(`there are /demo/state, /demo/events ${Object.keys(acts).join(' ')}\n`)
    else if (request.method !== method) response.writeHead(405, { Allow: method }).end(`only ${method}\n`)
    else if (act !== undefined) press(response, act)
    else if (path === '/demo/events')
      events.add(response, Number(request.headers['last-event-id'] ?? 0), eventText('state', state()))
    else {
      response.setHeader('Content-Type', 'application/json')
      response.setHeader('Cache-Control', 'no-store')
      response.end(JSON.stringify(state()))
    }
  }

  const server = createServer(answer)
  const follow = (file: string, where: object): (() => void) =>
    followLog(file, (line) => {
      const decision = readLoggedDecision(line)
      if (decision !== undefined) events.tell('decision', { ...decision, ...where })
    })
  const following =
    typeof accessLog === 'string'
      ? [follow(accessLog, {})]
      : accessLog.map((edge, at) => follow(edge.accessLog, { edge: at + 1 }))
  const end = (): void => {
    for (const endFollowing of following) endFollowing()
    events.end()
    server.close()
    server.closeAllConnections()
  }
  return { server, end }
}

function actsOf(controls: Controls): Readonly<Record<string, () => Promise<string>>> {
  const setDefaultAction = (action: Action) => async () => {
    await controls.setDefaultAction(action)
    return `default action: ${action}`
  }
  return {
    '/demo/backend/stop': async () => {
      await controls.stopBackend()
      return 'backend: stopped'
    },
    '/demo/backend/start': async () => {
      await controls.startBackend()
      return 'backend: started'
    },
    '/demo/default-action/allow': setDefaultAction('allow'),
    '/demo/default-action/deny': setDefaultAction('deny'),
  }
}
