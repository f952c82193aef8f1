import type { Location, Server } from './site-map.ts'

/** Lines after which a place serves nothing to a client. */
const ends = /^(?:internal|return)$/

/** Whether nothing is known that keeps clients out of a location, or of the paths of a server without one. */
export function isOpen(place: Location | Server): boolean {
  return place.asks === undefined && !place.isGuarded && !place.directives.some(({ name }) => ends.test(name))
}

/** Whether an open location also serves by itself what it takes, and sends nothing to another one. */
export function servesOpenly(location: Location): boolean {
  return isOpen(location) && !location.directives.some(({ name }) => name === 'rewrite')
}
