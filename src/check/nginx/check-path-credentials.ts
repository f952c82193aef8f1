import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named, placeOf } from '../nginx-conf/directive.ts'
import type { AskingServer, SiteMap } from '../nginx-conf/site-map.ts'

const { ok, warning, skipped } = findingsOf('path-credentials')

/** `^/(live|movie|series)/(.+)/(.+)/`: kinds of streams and films, then two steps of the path. */
const likeXtream =
  /\((?:\?:)?(?=[^()]*\blive\b)(?=[^()]*\b(?:movie|series)\b)[\w|-]+\)(?:\/(?:\([^()]*\)|\[\^\/\][+*])){2}\//
/** Groups or parameters that are named after user and password. */
const namesBoth = /(?:<|[?&])(?:user(?:name)?|login)(?:>|=\$).*(?:<|&)pass(?:word|wd)?(?:>|=\$)/i

/**
 * Checks that credentials in paths are known as such.
 * @param map undefined when nginx's configuration could not be read
 */
export function checkPathCredentials(pattern: RegExp | undefined, map: SiteMap | undefined): Finding {
  if (map === undefined) return skipped('not looked at: see nginx')
  if (pattern !== undefined) {
    return isMasked(map.http)
      ? ok('what CREDENTIAL_PATTERN finds in a path is masked in the format alta_auth')
      : warning(
          'CREDENTIAL_PATTERN is set, but the format alta_auth writes the credentials in paths to the access log',
          'include credentials-http.conf behind http.conf; see docs/access-log.md',
        )
  }
  const found = map.asking.flatMap(holdCredentials)[0]
  if (found === undefined) return ok('no path looks as if it held a credential')
  return warning(
    `${found.name} ${found.args[0]} (${placeOf(found)}) looks as if paths held user and password, and CREDENTIAL_PATTERN is not set: whoever has a wrong one rides on the session of the right one`,
    "CREDENTIAL_PATTERN='^/(?:live|movie|series)/([^/]+)/([^/]+)/'; see docs/backends.md",
  )
}

/** The locations that ask the gate and the rewrites whose patterns look like it. */
function holdCredentials({ directives, protectedLocations }: AskingServer): Directive[] {
  const isProtected = new Set(protectedLocations.map(({ directives: own }) => own))
  const walk = (all: readonly Directive[]): Directive[] =>
    all.flatMap((one) => [one, ...walk(one.block ?? [])])
  return walk(directives).filter(({ name, args, block = [] }) => {
    if (name !== 'rewrite' && !(name === 'location' && isProtected.has(block))) return false
    const text = args.join(' ')
    return likeXtream.test(text) || namesBoth.test(text)
  })
}

/** Whether the map of http.conf has been replaced by one that knows a pattern. */
function isMasked(http: readonly Directive[]): boolean {
  const maps = named(http, 'map').filter(({ args }) => args[1] === '$alta_auth_shown_uri')
  return (maps.at(-1)?.block ?? []).some(({ name }) => name.startsWith('~'))
}
