import type { Request, Response } from 'express'
import { readAddress } from '../address.ts'
import type { AskedGate } from '../fleet/fleet.ts'
import { TooManyMarks } from '../state/unwritten-marks.ts'
import type { Closing } from './close-sessions.ts'
import { readCursor } from './place-in-list.ts'
import { readParameters } from './read-parameters.ts'
import { RequestMistake } from './request-mistake.ts'
import type { Routes } from './routes.ts'
import type { SearchGates } from './search-gates.ts'
import type { SessionFilter, SessionsDesk } from './sessions-desk.ts'

const filters = ['channel', 'address', 'user'] as const

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

export interface SessionRoutesOptions {
  /** The sessions of this gate. */
  readonly desk: Pick<SessionsDesk, 'list' | 'find' | 'refusedUsers' | 'close' | 'closeAll'>
  /** All gates; undefined where this one shares its store with nobody. */
  readonly ofGates?: SearchGates | undefined
}

/**
 * Routes that find sessions and close them. A list is this gate's own, page by page; a search asks all gates,
 * unless `gates=this` says otherwise, and so does a closing.
 */
export function createSessionRoutes({ desk, ofGates }: SessionRoutesOptions): Routes {
  return {
    '/sessions': {
      async GET(request, response) {
        const given = readParameters(request, [...filters, 'limit', 'after', 'gates'])
        const { limit, after, gates, ...rest } = given
        if (gates !== undefined && gates !== 'this' && gates !== 'all')
          throw new RequestMistake(400, `gates "${gates}" is neither "this" nor "all"; write one of them`)
        const filter = readFilter(rest)
        const isSearch = Object.keys(filter).length > 0 && gates !== 'this'
        const [most, behind] = [readLimit(limit), readAfter(after)]
        response.json(
          isSearch && ofGates !== undefined
            ? await ofGates.search(filter, most)
            : desk.list(filter, most, behind),
        )
      },
      async DELETE(request, response) {
        const { all, ...filter } = readParameters(request, [...filters, 'all'])
        assertMeant(all, Object.keys(filter).length > 0)
        tell(response, await closeAll(readFilter(filter)))
      },
    },
    '/refused-users': {
      GET(request, response) {
        readParameters(request, [])
        response.json({ users: desk.refusedUsers(MAX_LIMIT) })
      },
    },
    '/sessions/:id': {
      async GET(request, response) {
        readParameters(request, [])
        const id = idOf(request)
        const here = desk.find(id)
        if (here !== undefined || ofGates === undefined) {
          if (here === undefined) throw nobody
          return void response.json(here)
        }
        const { session, ...asked } = await ofGates.find(id)
        if (session === undefined) throw asked.complete ? nobody : unsure(asked)
        response.json(session)
      },
      async DELETE(request, response) {
        readParameters(request, [])
        const closing = await desk.close(idOf(request))
        const { closed, complete = true, gates, inStore } = closing
        if (closed === 0 && inStore?.written === false) throw new RequestMistake(503, inStore.message ?? '')
        if (closed === 0) throw complete ? nobody : unsure({ gates })
        if (inStore?.written === false) tell(response, closing)
        else response.status(204).end()
      },
    },
  }

  async function closeAll(filter: SessionFilter): Promise<Closing> {
    try {
      return await desk.closeAll(filter)
    } catch (error) {
      if (error instanceof TooManyMarks) throw new RequestMistake(503, error.message)
      throw error
    }
  }
}

/** 202: it counts, but a crash may undo it, or a gate has not said that it has done it. */
function tell(response: Response, { closed, inStore, complete = true, gates }: Closing): void {
  const { written = true, message } = inStore ?? {}
  const said = message ?? (complete ? undefined : `closed by the gates that answered; ${missing(gates)}`)
  response.status(written && complete ? 200 : 202).json({
    closed,
    ...(inStore === undefined ? {} : { written }),
    ...(said === undefined ? {} : { message: said }),
    ...(gates === undefined ? {} : { gates }),
  })
}

function missing(gates: readonly AskedGate[] = []): string {
  const silent = gates.filter(({ answered }) => !answered).map(({ name }) => name)
  return silent.length === 0 ? 'other gates could not be asked' : `no answer of ${silent.join(', ')}`
}

function unsure({ gates }: { readonly gates?: readonly AskedGate[] | undefined }): RequestMistake {
  return new RequestMistake(503, `no gate that answered has this session, but ${missing(gates)}; ask again`)
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

function readAfter(text: string | undefined): string | null {
  if (text === undefined) return null
  if (readCursor(text) !== undefined) return text
  throw new RequestMistake(
    400,
    `after "${text}" is not the "next" of a page; leave it out for the first page`,
  )
}
