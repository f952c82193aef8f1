import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { readAddress } from '../address.ts'
import { RequestMistake } from './request-mistake.ts'

/** Why a request is not answered, 401 or 403; undefined for one that may see and do everything. */
export type Guard = (request: IncomingMessage) => RequestMistake | undefined

/**
 * Keeps out who does not know the token, and websites that a visitor's browser sends here: any site can make it ask 127.0.0.1, and a
 * site whose name suddenly means 127.0.0.1 (DNS rebinding) can even read the answer. The first kind shows in what browsers say of a
 * request, the second in Host; with a token the name does not matter, since no other site has it.
 */
export function createGuard(token: string | undefined): Guard {
  const expected = token === undefined ? undefined : digest(token)
  return ({ headers }) => {
    // Browsers before 2023 say no more than this.
    const from = headers.origin ?? headers.referer
    if (isFromAnotherSite(headers['sec-fetch-site'], from, headers.host)) {
      return new RequestMistake(
        403,
        'another website sent this request; open this address by itself, or ask without a browser',
      )
    }
    if (expected === undefined) {
      if (isUnmistakable(headers.host ?? '')) return undefined
      return new RequestMistake(
        403,
        'without ADMIN_TOKEN only an IP address or localhost is answered; use one, or set ADMIN_TOKEN',
      )
    }
    const [, given] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
    if (given === undefined)
      return new RequestMistake(401, 'send the header "Authorization: Bearer" with the value of ADMIN_TOKEN')
    // Of digests, so that neither the time nor the length tells anything of the token.
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

/** `site` is what browsers tell of the page that asks: `none` means that its user asked. Others than browsers send neither. */
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
 * Whether nobody else can make this name mean another machine, and a browser that another site sends here tells so.
 * By `0.0.0.0`, `::` and IPv4 addresses written as IPv6 (`::ffff:127.0.0.1`) it reaches this machine and tells nothing.
 */
function isUnmistakable(host: string): boolean {
  const [, ipv6, other = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host) ?? []
  if (ipv6 === undefined) return isIPv4(other) ? other !== '0.0.0.0' : /^localhost$/i.test(other)
  const plain = readAddress(ipv6) ?? ''
  return isIPv6(plain) && plain !== '::'
}
