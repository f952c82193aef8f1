import { cookieKeyOf } from '../../src/session/session-cookie.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import { clientRequest, type PretendGate } from './pretend-gate.ts'

/** A viewer of a pretend gate who keeps the session cookie. */
export interface CookieViewer {
  /** Asks from an address; the result is `verdict reason`. */
  get(target: string, address?: string, more?: Partial<Subrequest>): Promise<string>
  /** The key of the cookie that it has now; undefined = none. */
  cookie: string | undefined
}

export function createCookieViewer(
  gate: Pick<PretendGate, 'decide'>,
  cookieMode: NonNullable<Subrequest['cookieMode']> = 'on',
  home = '192.0.2.1',
): CookieViewer {
  const viewer: CookieViewer = {
    cookie: undefined,
    async get(target, address = home, more = {}) {
      const { cookie } = viewer
      const request = clientRequest(target, { address, cookieMode, ...(cookie && { cookie }), ...more })
      const { verdict, reason, newCookie } = await gate.decide(request)
      if (newCookie !== undefined) viewer.cookie = cookieKeyOf(newCookie, request.site ?? request.origin)
      return `${verdict} ${reason}`
    },
  }
  return viewer
}
