import type { CookieMode } from '../../subrequest.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { allLocations, type SiteMap } from '../nginx-conf/site-map.ts'
import { givesCookie, hasCookie } from './add-headers.ts'
import { findCookieless } from './find-cookieless.ts'
import { findLostCookies } from './find-lost-cookies.ts'
import { findLostHeaders } from './find-lost-headers.ts'
import { findMisplaced } from './find-misplaced.ts'
import { tellTwoFamilies } from './find-two-families.ts'
import { findUseless } from './find-useless.ts'

const { ok } = findingsOf('nginx-cookie')
const SHOWN = 6

/** What the gate does with session cookies, and what DNS says. */
export interface CheckCookieOptions {
  readonly sessionCookie: CookieMode
  /** Names of sites without a cookie that have addresses of both families. */
  readonly twoFamilies: readonly string[]
}

/** Checks that the session cookie is known wherever it is wanted, and that no answer loses its headers. */
export function checkCookie(
  map: SiteMap,
  { sessionCookie, twoFamilies }: CheckCookieOptions,
): readonly Finding[] {
  const { http, servers } = map
  const including = servers.flatMap(({ locations }) =>
    allLocations(locations).filter(({ directives }) => hasCookie(directives)),
  )
  const misplaced = servers.flatMap(findMisplaced)
  const findings = [
    ...misplaced,
    ...(including.length === 0 && misplaced.length > 0 ? [] : findUseless(map, sessionCookie, including)),
    ...servers.flatMap((server) => [
      ...findCookieless(server),
      ...findLostCookies(http, server),
      ...findLostHeaders(http, server),
    ]),
    ...tellTwoFamilies(twoFamilies),
  ]
  if (findings.length > 0) return findings
  const names = including.filter(givesCookie).map(({ name }) => name)
  if (names.length === 0) return [ok('the session cookie is not used')]
  const rest = names.length > SHOWN ? [`and ${names.length - SHOWN} more`] : []
  return [ok(`SESSION_COOKIE=${sessionCookie}, in ${[...names.slice(0, SHOWN), ...rest].join(', ')}`)]
}
