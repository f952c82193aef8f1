import { posix } from 'node:path'
import { type Directive, lastOf, named, placeOf } from './directive.ts'
import { compile } from './locate.ts'
import type { Mapping } from './mapping.ts'
import { refuseSome } from './refuse-some.ts'

/** One location, with what it inherits. */
export interface Location {
  readonly modifier: '' | '=' | '^~' | '~' | '~*' | '@'
  readonly pattern: string
  /** Of a location by regular expression; undefined when JavaScript cannot read it. */
  readonly regex: RegExp | undefined
  readonly directives: readonly Directive[]
  readonly children: readonly Location[]
  /** The value of `auth_request` here, inherited or not; undefined = there is none, or off. */
  readonly asks: string | undefined
  /** Whether `auth_request` is written in this location itself. */
  readonly asksItself: boolean
  /** Which files it serves when it serves files, by a root or alias of its own or inherited. */
  readonly files: Mapping | undefined
  /** Whether other means than alta-auth keep some clients out here, inherited or not. */
  readonly isGuarded: boolean
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
  /** These three are of paths that no location takes. */
  readonly asks: string | undefined
  readonly files: Mapping | undefined
  readonly isGuarded: boolean
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
  const inherited = inherit(http, nothing)
  const servers = named(http, 'server').map((server) => readServer(server, inherited))
  const asking = servers.filter((server): server is AskingServer => server.auth !== undefined)
  return { main: directives, http, servers, asking }
}

/** All locations of a server, of every depth. */
export function allLocations(locations: readonly Location[]): Location[] {
  return locations.flatMap((location) => [location, ...allLocations(location.children)])
}

/** What a level hands on to the levels inside it. */
interface Inherited {
  readonly asks: string | undefined
  readonly files: Mapping | undefined
  readonly isGuarded: boolean
}

const nothing: Inherited = { asks: undefined, files: undefined, isGuarded: false }

/** @param prefix the pattern of a location that is a prefix */
function inherit(directives: readonly Directive[], from: Inherited, prefix?: string): Inherited {
  return {
    asks: lastOf(directives, 'auth_request')?.args[0] ?? from.asks,
    files: filesOf(directives, from.files, prefix),
    isGuarded: from.isGuarded || refuseSome(directives),
  }
}

function filesOf(
  directives: readonly Directive[],
  inherited: Mapping | undefined,
  prefix: string | undefined,
): Mapping | undefined {
  const alias = lastOf(directives, 'alias')?.args[0]
  const root = lastOf(directives, 'root')?.args[0]
  const to = alias ?? root
  if (to === undefined) return inherited
  if (to.includes('$') || (alias !== undefined && prefix === undefined)) return undefined
  return alias === undefined
    ? { from: '/', to: posix.normalize(`${to}/`) }
    : { from: prefix ?? '/', to: posix.normalize(alias) }
}

function readServer(server: Directive, from: Inherited): Server {
  const directives = server.block ?? []
  const names = named(directives, 'server_name').flatMap(({ args }) => args)
  const listens = named(directives, 'listen').map(({ args }) => args[0] ?? '')
  const inherited = inherit(directives, from)
  const locations = readLocations(directives, inherited)
  return {
    told: `server ${names.find((name) => name !== '_' && name !== '') ?? listens[0] ?? ''} (${placeOf(server)})`,
    directives,
    locations,
    asks: askedBy(inherited),
    files: inherited.files,
    isGuarded: inherited.isGuarded,
    protectedLocations: allLocations(locations).filter((one) => one.asks === AUTH && one.pattern !== AUTH),
    auth: locations.find(({ pattern }) => pattern === AUTH),
    onFailure: locations.filter(({ pattern }) => pattern === ON_FAILURE),
  }
}

function askedBy({ asks }: Inherited): string | undefined {
  return asks === 'off' ? undefined : asks
}

function readLocations(directives: readonly Directive[], from: Inherited): Location[] {
  return named(directives, 'location').map((directive) => {
    const own = directive.block ?? []
    const [modifier, pattern] = readPattern(directive.args)
    const name = [modifier === '@' ? '' : modifier, pattern].filter((word) => word !== '').join(' ')
    const isPrefix = modifier === '' || modifier === '^~' || modifier === '='
    const inherited = inherit(own, from, isPrefix ? pattern : undefined)
    const said = lastOf(own, 'auth_request')?.args[0]
    return {
      modifier,
      pattern,
      regex: modifier.startsWith('~') ? compile(pattern, modifier === '~*') : undefined,
      directives: own,
      children: readLocations(own, inherited),
      asks: askedBy(inherited),
      asksItself: said !== undefined && said !== 'off',
      files: inherited.files,
      isGuarded: inherited.isGuarded,
      name,
      told: `location ${name} (${placeOf(directive)})`,
    }
  })
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
