import type { Outcome } from '../../src/verdict.ts'
import type { Backend } from './backend.ts'

/** Where Ministra answers media servers. */
export const ministraPath = '/stalker_portal/server/api/chk_flussonic_tmp_link.php'
/** How long one of its temporary links lives (its `tv_tmp_link_ttl`), in milliseconds. */
export const LINK_LIFE = 5_000

/** Ministra's temporary links: bound to no channel and no address, and valid for a short time. */
export interface TemporaryLinks {
  /** A new token for this user, as the portal gives it to a set-top box that starts a channel. */
  issue(userId: string): string
  /** The user of a valid token in this query; undefined when it holds none. */
  userOf(query: string): string | undefined
}

/** @param clock milliseconds; the portal's own */
export function createTemporaryLinks(clock: () => number): TemporaryLinks {
  const links = new Map<string, { readonly userId: string; readonly diesAt: number }>()
  return {
    issue(userId) {
      const token = (links.size + 1).toString(16).padStart(32, '0')
      links.set(token, { userId, diesAt: clock() + LINK_LIFE })
      return token
    },
    userOf(query) {
      const link = links.get(new URLSearchParams(query).get('token') ?? '')
      return link !== undefined && clock() < link.diesAt ? link.userId : undefined
    },
  }
}

/**
 * What its script answers to an HTTP question; 404 anywhere else. The portal sends `X-Max-Sessions: 1` to
 * everybody; tests of other things need not meet it.
 */
export function ministraScript(links: TemporaryLinks, maxSessions = 10): Backend['answer'] {
  return ({ target }, response) => {
    const [path, query = ''] = target.split('?')
    const userId = links.userOf(query)
    if (path !== ministraPath) response.writeHead(404)
    else if (userId === undefined) response.writeHead(403)
    else {
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=UTF-8',
        'X-AuthDuration': '36000',
        'X-Unique': 'true',
        'X-Max-Sessions': `${maxSessions}`,
        'X-UserId': userId,
      })
    }
    response.end()
  }
}

/** The same answer as an outcome, for a pretend backend. */
export function ministraOutcome(links: TemporaryLinks, query: string): Outcome {
  const userId = links.userOf(query)
  if (userId === undefined) return { kind: 'deny', backend: 'ministra', status: 403 }
  return { kind: 'allow', backend: 'ministra', grant: { authDuration: '36000', userId } }
}
