import { type Directive, lastOf, named, placeOf } from './directive.ts'

/** One location, with what it inherits. */
export interface Location {
  readonly modifier: '' | '=' | '^~' | '~' | '~*' | '@'
  readonly pattern: string
  readonly directives: readonly Directive[]
  readonly children: readonly Location[]
  /** The value of `auth_request` here, inherited or not; undefined = there is none, or off. */
  readonly asks: string | undefined
  /** Whether `auth_request` is written in this location itself. */
  readonly asksItself: boolean
  /** `/live/`, `= /x`, `~ \.ts$` */
  readonly name: string
  /** `location /live/ (live.conf:12)` */
  readonly told: string
}

/** One server, with its locations. */
export interface Server {
  /** `server live.example.com (live.conf:5)` */
  readonly told: string
  readonly directives: readonly Directive[]
  readonly locations: readonly Location[]
  /** Locations of any depth that ask alta-auth. */
  readonly protectedLocations: readonly Location[]
  /** The location that asks the gate. */
  readonly auth: Location | undefined
  /** Locations that answer without the gate. nginx accepts two with the same name, and uses one of them. */
  readonly onFailure: readonly Location[]
}

/** A server that can ask the gate. */
export interface AskingServer extends Server {
  readonly auth: Location
}

/** What the checks need of nginx's configuration. */
export interface SiteMap {
  /** The directives outside of `http { }`. */
  readonly main: readonly Directive[]
  /** The directives at http level. */
  readonly http: readonly Directive[]
  readonly servers: readonly Server[]
  /** The servers that can ask the gate. */
  readonly asking: readonly AskingServer[]
}

/** The location of server.conf that asks the gate. */
export const AUTH = '/_alta_auth'
/** The location that answers when the gate does not: server.conf names it, the on-failure file defines it. */
export const ON_FAILURE = '@alta_auth_on_failure'

/** Finds servers and locations in a whole configuration. */
export function createSiteMap(directives: readonly Directive[]): SiteMap {
  const http = named(directives, 'http').flatMap(({ block = [] }) => block)
  const servers = named(http, 'server').map((server) => readServer(server, asksOf(http)))
  const asking = servers.filter((server): server is AskingServer => server.auth !== undefined)
  return { main: directives, http, servers, asking }
}

/** All locations of a server, of every depth. */
export function allLocations(locations: readonly Location[]): Location[] {
  return locations.flatMap((location) => [location, ...allLocations(location.children)])
}

function readServer(server: Directive, inherited: string | undefined): Server {
  const directives = server.block ?? []
  const names = named(directives, 'server_name').flatMap(({ args }) => args)
  const listens = named(directives, 'listen').map(({ args }) => args[0] ?? '')
  const asks = asksOf(directives) ?? inherited
  const locations = readLocations(directives, asks)
  return {
    told: `server ${names.find((name) => name !== '_' && name !== '') ?? listens[0] ?? ''} (${placeOf(server)})`,
    directives,
    locations,
    protectedLocations: allLocations(locations).filter((one) => one.asks === AUTH && one.pattern !== AUTH),
    auth: locations.find(({ pattern }) => pattern === AUTH),
    onFailure: locations.filter(({ pattern }) => pattern === ON_FAILURE),
  }
}

function readLocations(directives: readonly Directive[], inherited: string | undefined): Location[] {
  return named(directives, 'location').map((directive) => {
    const own = directive.block ?? []
    const [modifier, pattern] = readPattern(directive.args)
    const name = [modifier === '@' ? '' : modifier, pattern].filter((word) => word !== '').join(' ')
    const said = asksOf(own)
    const asks = said ?? inherited
    return {
      modifier,
      pattern,
      directives: own,
      children: readLocations(own, asks),
      asks: asks === 'off' ? undefined : asks,
      asksItself: said !== undefined && said !== 'off',
      name,
      told: `location ${name} (${placeOf(directive)})`,
    }
  })
}

function asksOf(directives: readonly Directive[]): string | undefined {
  return lastOf(directives, 'auth_request')?.args[0]
}

/** The pattern of a location: `location = /x`, also without the space. */
function readPattern([first = '', second]: readonly string[]): [Location['modifier'], string] {
  if (second !== undefined) {
    const modifier = (['=', '^~', '~', '~*'] as const).find((one) => one === first)
    return [modifier ?? '', second]
  }
  if (first.startsWith('@')) return ['@', first]
  const [, modifier = '', pattern = first] = /^(=|\^~|~\*|~)(.+)$/.exec(first) ?? []
  return [modifier as Location['modifier'], pattern]
}
