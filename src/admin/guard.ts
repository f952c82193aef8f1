import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { readAddress } from '../address.ts'
import { RequestMistake } from './request-mistake.ts'

/** Returns why a request is refused (401 or 403), or undefined when the request may see and do everything. */
export type Guard = (request: IncomingMessage) => RequestMistake | undefined

/**
 * Refuses requests without the token, and requests that another website made a browser send. There are two
 * such attacks:
 * - Any website can make a browser send requests to 127.0.0.1. `Sec-Fetch-Site`, `Origin` or `Referer` show
 * that.
 * - A website whose name suddenly resolves to 127.0.0.1 (DNS rebinding) can even read the answer. `Host`
 * shows that.
 * With a token `Host` is not checked, because no other website has the token.
 *
 * @param token the value of ADMIN_TOKEN; undefined = none is needed
 */
export function createGuard(token: string | undefined): Guard {
  const expected = token === undefined ? undefined : digest(token)
  return ({ headers }) => {
    // Browsers before 2023 send no Sec-Fetch-Site.
    const from = headers.origin ?? headers.referer
    if (isFromAnotherSite(headers['sec-fetch-site'], from, headers.host)) {
      return new RequestMistake(
        403,
        'another website sent this request; open this address by itself, or ask without a browser',
      )
    }
    if (expected === undefined) {
      if (isSafeHost(headers.host ?? '')) return undefined
      return new RequestMistake(
        403,
        'without ADMIN_TOKEN only an IP address or localhost is answered; use one, or set ADMIN_TOKEN',
      )
    }
    const [, given] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
    if (given === undefined)
      return new RequestMistake(401, 'send the header "Authorization: Bearer" with the value of ADMIN_TOKEN')
    // Digests are compared, so that neither the time nor the length says anything about the token.
    if (timingSafeEqual(digest(given), expected)) return undefined
    return new RequestMistake(
      401,
      'the token is not the value of ADMIN_TOKEN; send that after "Authorization: Bearer"',
    )
  }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/**
 * Whether a browser sent this request for a page of another website. `site` is `Sec-Fetch-Site`: `none` means
 * that the user typed the address. Programs other than browsers send neither header.
 */
function isFromAnotherSite(
  site: string | string[] | undefined,
  origin: string | undefined,
  host: string | undefined,
): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase()
}

/**
 * Whether Host is a name of this machine that DNS rebinding cannot use: `localhost` or an IP address.
 * Not so `0.0.0.0`, `::` and IPv4 addresses written as IPv6 (`::ffff:127.0.0.1`): they reach this machine
 * too, but then browsers do not show that another website sent the request.
 */
function isSafeHost(host: string): boolean {
  const [, ipv6, other = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host) ?? []
  if (ipv6 === undefined) return isIPv4(other) ? other !== '0.0.0.0' : /^localhost$/i.test(other)
  const plain = readAddress(ipv6) ?? ''
  return isIPv6(plain) && plain !== '::'
}
