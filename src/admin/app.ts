import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { createExplainRoutes, type ExplainRoutesOptions } from './explain-routes.ts'
import { createGuard } from './guard.ts'
import { createHealthRoutes, type Readiness } from './health-routes.ts'
import { createPageFiles, pagePolicy } from './page-files.ts'
import { assertDecodable } from './read-parameters.ts'
import { RequestMistake } from './request-mistake.ts'
import { addRoutes, namesOf, type Routes } from './routes.ts'
import { createSessionRoutes, type SessionRoutesOptions } from './session-routes.ts'
import { createWatchRoutes, type WatchRoutesOptions } from './watch-routes.ts'

/**
 * What the admin listener shows and does. The values are functions, so that each answer shows the present
 * state.
 */
export interface AdminOptions extends ExplainRoutesOptions, SessionRoutesOptions, WatchRoutesOptions {
  /** The bearer token that requests must carry; undefined = none is needed. */
  readonly token: string | undefined
  readonly readiness: () => Readiness
  /** The folder of the live page. */
  readonly page: string
  readonly onInternalError: (error: unknown) => void
}

/** Health, metrics, sessions and the live page, on a listener of its own that nginx never sees. */
export function createAdminApp(options: AdminOptions): Express {
  const guard = createGuard(options.token)
  const open: Routes = {
    ...createPageFiles(options.page),
    ...createHealthRoutes(options.readiness, guard),
  }
  const guarded: Routes = {
    ...createSessionRoutes(options),
    ...createExplainRoutes(options),
    ...createWatchRoutes(options),
  }

  const app = express()
  for (const name of ['x-powered-by', 'etag', 'query parser']) app.disable(name)
  for (const name of ['case sensitive routing', 'strict routing']) app.enable(name)

  app.use((request, response, next) => {
    response.set(headers)
    assertDecodable(request)
    next()
  })
  addRoutes(app, open)
  app.use((request, response, next) => {
    const mistake = guard(request)
    if (mistake === undefined) return next()
    if (mistake.status === 401) response.set('WWW-Authenticate', 'Bearer')
    throw mistake
  })
  addRoutes(app, guarded)
  app.use((request) => {
    const names = namesOf({ ...open, ...guarded }).filter((name) => !isFile.test(name))
    throw new RequestMistake(404, `there is no ${request.path}; there are ${names.join(', ')}`)
  })

  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (!(error instanceof RequestMistake)) options.onInternalError(error)
    if (response.headersSent) return void response.destroy()
    const { status, message } = error instanceof RequestMistake ? error : fault
    response.status(status).json({ error: message })
  })
  return app
}

/** For every answer: no cache keeps it, no browser guesses another type, no other site reads it. */
const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': pagePolicy,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

/** Files that the page loads by itself: not named in the message. */
const isFile = /\.\w+$/

const fault = new RequestMistake(500, 'a fault of alta-auth itself; its log has the error, please report it')
