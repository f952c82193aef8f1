import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named } from '../nginx-conf/directive.ts'
import { missingFrom, readShipped, shippedAuth } from '../nginx-conf/shipped.ts'
import { AUTH, type Location, type Server, type SiteMap } from '../nginx-conf/site-map.ts'

const { ok, warning, failed } = findingsOf('nginx-includes')
const COPY =
  'copy the files of this version again, and include server.conf here; what you changed by hand comes back where it matters'

/** Lines that other checks look at, or that may be changed. */
const elsewhere =
  /^(?:proxy_pass$|error_page$|proxy_(?:connect|send|read)_timeout|proxy_next_upstream|open_file_cache|proxy_cache|proxy_ignore_headers|proxy_buffering)/
/** Without these lines a client could ask in another's name, or no viewer would get a verdict. */
const essential =
  /^(?:internal|if|proxy_set_header|proxy_pass_request_(?:headers|body)|proxy_method|recursive_error_pages)$/

/** Whether the configuration holds anything of alta-auth. */
export function usesAltaAuth({ http, servers }: SiteMap): boolean {
  return named(http, 'upstream').some(({ args }) => args[0] === 'alta_auth') || servers.some(asksUs)
}

function asksUs({ auth, protectedLocations }: Server): boolean {
  return auth !== undefined || protectedLocations.length > 0
}

/** Checks that the shipped files are included where they must be, unchanged. */
export function checkIncludes(map: SiteMap): readonly Finding[] {
  const findings = [...checkHttp(map), ...map.servers.flatMap(checkServer)]
  return findings.length > 0 ? findings : [ok('the snippets of this version are where they must be')]
}

function checkHttp({ http, servers }: SiteMap): Finding[] {
  if (!servers.some(asksUs)) {
    const remedy =
      'include server.conf and one on-failure file in each server to protect, and location.conf in its locations'
    return [failed('http.conf is included, but no server asks the gate: everything is open', remedy)]
  }
  const changed = missingFrom(http, named(readShipped('http.conf'), 'map'))
  if (changed.length === 0) return []
  const variables = changed.map(({ args }) => args[1] ?? '').join(', ')
  return [warning(`http.conf is another one than that of this version: ${variables}`, COPY)]
}

function checkServer({ auth, protectedLocations, told }: Server): Finding[] {
  if (auth !== undefined) return checkAuth(auth)
  if (protectedLocations.length === 0) return []
  const remedy =
    'include server.conf in this server: without it viewers get 500, or all get in where another location answers in its place'
  return [failed(`${told} asks ${AUTH}, but server.conf is not included in it`, remedy)]
}

function checkAuth({ directives, told }: Location): Finding[] {
  const missing = missingFrom(directives, shippedAuth()).filter(({ name }) => !elsewhere.test(name))
  if (missing.length === 0) return []
  const sentence = `${told} is not as in server.conf: ${missing.map(shown).join(', ')}`
  return [missing.some(({ name }) => essential.test(name)) ? failed(sentence, COPY) : warning(sentence, COPY)]
}

function shown({ name, args }: Directive): string {
  return name === 'if' ? 'the guard against control bytes' : [name, args[0]].filter(Boolean).join(' ')
}
