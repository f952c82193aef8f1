import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, lastOf } from '../nginx-conf/directive.ts'
import { locate } from '../nginx-conf/locate.ts'
import { servesOpenly } from '../nginx-conf/open.ts'
import { AUTH, type Location, type Server } from '../nginx-conf/site-map.ts'

const { warning } = findingsOf('nginx-locations')

/** Finds lines of a server, or inherited from `http`, that let requests into protected locations. */
export function findLoosened(http: readonly Directive[], server: Server): Finding[] {
  const said = (name: string): string | undefined =>
    lastOf(server.directives, name)?.args[0] ?? lastOf(http, name)?.args[0]
  return [
    ...satisfiedByAny(server.locations, said('satisfy')).map(({ told }) =>
      warning(
        `${told} inherits "satisfy any": an address that allow names, or a password, is enough there`,
        'write satisfy all; in it, or satisfy any; in it if you mean it',
      ),
    ),
    ...(said('merge_slashes') === 'off' && servesTwoSlashes(server.locations)
      ? [
          warning(
            `${server.told} has "merge_slashes off": what begins with // is in no location of one slash, and nobody is asked`,
            'leave it out, or protect or close location /',
          ),
        ]
      : []),
  ]
}

function servesTwoSlashes(locations: readonly Location[]): boolean {
  const taker = locate(locations, '//alta-auth-check/1.ts')
  return taker === undefined || servesOpenly(taker)
}

/**
 * Protected locations that inherit `satisfy any`. In a location that says it itself, the operator has decided
 * so.
 */
function satisfiedByAny(locations: readonly Location[], inherited: string | undefined): Location[] {
  return locations.flatMap((location) => {
    const own = lastOf(location.directives, 'satisfy')?.args[0]
    const isProtected = location.asks === AUTH && location.pattern !== AUTH
    const found = own === undefined && inherited === 'any' && isProtected ? [location] : []
    return [...found, ...satisfiedByAny(location.children, own ?? inherited)]
  })
}
