import type { Explain } from '../explain/explain.ts'
import { ExplainError, readClientRequest } from '../explain/read-client-request.ts'
import { readParameters } from './read-parameters.ts'
import type { RecentDenials } from './recent-denials.ts'
import { RequestMistake } from './request-mistake.ts'
import type { Routes } from './routes.ts'

/** What explains a request, and where the recent denials are. */
export interface ExplainRoutesOptions {
  readonly explain: Explain
  readonly denials: Pick<RecentDenials, 'list' | 'find'>
}

/**
 * The most explanations at a time. Their questions take no place among the questions of the gate, so they
 * need a bound of their own to protect the backend.
 */
const AT_ONCE = 4

const viewerNames = ['ip', 'ua', 'playback-id'] as const

/** The routes of the recent denials, and of the explanation of a request or a denial. */
export function createExplainRoutes({ explain, denials }: ExplainRoutesOptions): Routes {
  let underWay = 0
  return {
    '/denials': {
      GET(request, response) {
        readParameters(request, [])
        response.json({ denials: denials.list() })
      },
    },
    '/explain': {
      async GET(request, response) {
        const given = readParameters(request, ['denial', 'url', ...viewerNames], ['ua', 'playback-id'])
        const read = given.denial === undefined ? readUrl(given) : readDenial(given, denials)
        if (underWay >= AT_ONCE)
          throw new RequestMistake(
            503,
            `${AT_ONCE} explanations are under way already; ask again in a moment`,
          )
        underWay++
        try {
          response.json(await explain(read))
        } finally {
          underWay--
        }
      },
    },
  }
}

type Given = Readonly<Partial<Record<'denial' | 'url' | (typeof viewerNames)[number], string>>>

/** @throws {RequestMistake} */
function readDenial({ denial: number = '', ...rest }: Given, denials: Pick<RecentDenials, 'find'>) {
  if (Object.keys(rest).length > 0)
    throw new RequestMistake(400, 'a denial has its own URL and viewer; leave the other parameters out')
  const kept = /^\d{1,15}$/.test(number) ? denials.find(Number(number)) : undefined
  if (kept === undefined)
    throw new RequestMistake(404, `denial "${number}" is not among the recent ones; GET /denials lists those`)
  return 'why' in kept.request ? { refused: kept.request.why } : kept.request.subrequest
}

/** @throws {RequestMistake} */
function readUrl({ url, ip = '127.0.0.1', ua: userAgent = '', 'playback-id': playbackId = '' }: Given) {
  if (url === undefined)
    throw new RequestMistake(
      400,
      'give the URL of a client as "url", percent-encoded, or the number of a "denial"',
    )
  try {
    return readClientRequest({ url, address: ip, userAgent, playbackId })
  } catch (error) {
    throw error instanceof ExplainError ? new RequestMistake(400, error.message) : error
  }
}
