import type { Request, Response } from 'express'
import { readAddress } from '../address.ts'
import type { Closing } from './close-sessions.ts'
import { readParameters } from './read-parameters.ts'
import { RequestMistake } from './request-mistake.ts'
import type { Routes } from './routes.ts'
import type { SessionFilter, SessionsDesk } from './sessions-desk.ts'

const filters = ['channel', 'address', 'user'] as const

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/** Routes that find sessions and close them. */
export function createSessionRoutes(desk: SessionsDesk): Routes {
  return {
    '/sessions': {
      GET(request, response) {
        const { limit, after, ...filter } = readParameters(request, [...filters, 'limit', 'after'])
        response.json(desk.list(readFilter(filter), readLimit(limit), readCursor(after)))
      },
      async DELETE(request, response) {
        const { all, ...filter } = readParameters(request, [...filters, 'all'])
        assertMeant(all, Object.keys(filter).length > 0)
        tell(response, await desk.closeAll(readFilter(filter)))
      },
    },
    '/refused-users': {
      GET(request, response) {
        readParameters(request, [])
        response.json({ users: desk.refusedUsers(MAX_LIMIT) })
      },
    },
    '/sessions/:id': {
      GET(request, response) {
        readParameters(request, [])
        const session = desk.find(idOf(request))
        if (session === undefined) throw nobody
        response.json(session)
      },
      async DELETE(request, response) {
        readParameters(request, [])
        const closing = await desk.close(idOf(request))
        const { stored = 0, written = true, message = '' } = closing.inStore ?? {}
        if (closing.closed === 0 && stored === null) throw new RequestMistake(503, message)
        if (closing.closed + (stored ?? 0) === 0) throw nobody
        if (written) response.status(204).end()
        else tell(response, closing)
      },
    },
  }
}

/** 202: it counts, but a crash may undo it, because it is not written yet. */
function tell(response: Response, { closed, inStore }: Closing): void {
  response.status(inStore?.written === false ? 202 : 200).json({ closed, ...inStore })
}

/** @throws {RequestMistake} */
function assertMeant(all: string | undefined, hasFilter: boolean): void {
  if (all !== undefined && all !== 'yes')
    throw new RequestMistake(400, `all "${all}" is not "yes"; write that to close all sessions`)
  if (all === undefined && !hasFilter)
    throw new RequestMistake(
      400,
      'this would end all sessions; name a channel, an address or a user, or write all=yes',
    )
  if (all !== undefined && hasFilter)
    throw new RequestMistake(400, 'all=yes takes no filter beside it; leave one of them out')
}

const nobody = new RequestMistake(404, 'no session has this id (any more); GET /sessions tells who is there')

function idOf(request: Request): string {
  return String(request.params['id'])
}

/** Writes the address of a filter as the gate does. @throws {RequestMistake} when it is no IP address */
function readFilter(given: SessionFilter): SessionFilter {
  if (given.address === undefined) return given
  const address = readAddress(given.address)
  if (address !== undefined) return { ...given, address }
  throw new RequestMistake(400, `address "${given.address}" is no IP address; write one, such as 192.0.2.1`)
}

function readLimit(text: string | undefined): number {
  const limit = text === undefined ? DEFAULT_LIMIT : /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new RequestMistake(400, `limit "${text}" is no whole number from 1 to ${MAX_LIMIT}; write one`)
}

function readCursor(text: string | undefined): string | null {
  if (text === undefined) return null
  if (/^\d+\.[\w-]+$/.test(text)) return text
  throw new RequestMistake(
    400,
    `after "${text}" is not the "next" of a page; leave it out for the first page`,
  )
}
