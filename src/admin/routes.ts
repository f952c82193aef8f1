import type { Express, Request, Response } from 'express'
import { RequestMistake } from './request-mistake.ts'

/** Answers one request. An error that it throws is answered by the app. */
type Answer = (request: Request, response: Response) => Promise<void> | void

/** Paths as Express writes them, each with the functions that answer its methods. `GET` answers HEAD too. */
export type Routes = Readonly<Record<string, { readonly GET: Answer; readonly DELETE?: Answer }>>

/** Adds the routes. A method that a route does not have gets a 405. */
export function addRoutes(app: Express, routes: Routes): void {
  for (const [path, { GET: get, DELETE: remove }] of Object.entries(routes)) {
    const route = app.route(path)
    route.get(get)
    if (remove !== undefined) route.delete(remove)
    const allowed = remove === undefined ? 'GET, HEAD' : 'GET, HEAD, DELETE'
    route.all((request, response) => {
      response.set('Allow', allowed)
      throw new RequestMistake(405, `${request.path} takes ${allowed}, not ${request.method}`)
    })
  }
}

/** The routes as the documentation writes them. */
export function namesOf(routes: Routes): string[] {
  return Object.entries(routes).flatMap(([path, { DELETE: remove }]) =>
    remove === undefined ? [`GET ${path}`] : [`GET ${path}`, `DELETE ${path}`],
  )
}
