import { type Directive, named, textOf } from '../nginx-conf/directive.ts'
import { readShipped } from '../nginx-conf/shipped.ts'
import { AUTH, type Location, type Server } from '../nginx-conf/site-map.ts'

/** The lines of one level of nginx's configuration. */
export type Level = readonly Directive[]

/** A location, and the levels that hand lines on to it: its own first, `http` last. */
export interface Place {
  readonly location: Location
  readonly levels: readonly Level[]
}

/** All locations of a server, of every depth. */
export function placesIn(http: Level, server: Server): Place[] {
  const walk = (locations: readonly Location[], around: readonly Level[]): Place[] =>
    locations.flatMap((location) => {
      const levels = [location.directives, ...around]
      return [{ location, levels }, ...walk(location.children, levels)]
    })
  return walk(server.locations, [server.directives, http])
}

/** Whether cookie.conf is included among these lines. */
export function hasCookie(directives: Level): boolean {
  return directives.some(isHere)
}

/** Whether a line is the one by which cookie.conf tells that it is included. */
export function isHere({ name, args }: Directive): boolean {
  return name === 'set' && args[0] === '$alta_auth_here' && args[1] === 'here'
}

/** Whether cookie.conf is included in a location that asks the gate by its own lines. */
export function givesCookie({ directives, asks, asksItself, pattern }: Location): boolean {
  return asks === AUTH && asksItself && pattern !== AUTH && hasCookie(directives)
}

/**
 * The add_header lines that count in a place: those of the innermost level that has any. `merge` adds those
 * of the levels around it.
 * @param levels the innermost first
 */
export function headersIn(levels: readonly Level[]): readonly Directive[] {
  const [own, ...around] = levels
  if (own === undefined) return []
  const lines = named(own, 'add_header')
  const rule = levels.flatMap((level) => named(level, 'add_header_inherit'))[0]?.args[0]
  if (rule === 'off' || (lines.length > 0 && rule !== 'merge')) return lines
  return [...lines, ...headersIn(around)]
}

/** Whether an answer from a place has the cookie. */
export function sendsCookie(levels: readonly Level[]): boolean {
  return headersIn(levels).some(
    ({ args: [name = '', value] }) => /^set-cookie$/i.test(name) && value === '$alta_auth_set',
  )
}

/** Whether a line is an add_header of ours. */
export function isShippedHeader(line: Directive): boolean {
  const text = textOf(line)
  return [...readShipped('cookie.conf'), ...readShipped('cors.conf')].some(
    (shipped) => shipped.name === 'add_header' && textOf(shipped) === text,
  )
}
