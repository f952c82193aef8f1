import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Subrequest } from '../../src/subrequest.ts'

export function readShipped(file: string): string {
  return readFileSync(fileURLToPath(new URL(`../../nginx/alta-auth/${file}`, import.meta.url)), 'utf8')
}

/** The variables of proxy_cache_key, in order. */
export function keyVariables(): string[] {
  const key = /^\s*proxy_cache_key\s+"([^"]*)";/m.exec(readShipped('server.conf'))?.[1] ?? ''
  return key.split('\\n')
}

/** A line of a map of nginx: a pattern and the variable that is its value. */
interface Line {
  readonly pattern: RegExp | undefined
  readonly value: string
}

/** The lines of a map in cache-http.conf, with the patterns as JavaScript reads them. */
export function mapLines(variable: string): Line[] {
  const map = new RegExp(`^map \\$\\w+ \\$${variable} \\{\\s+volatile;\\n([^}]*)\\}`, 'm')
  const body = map.exec(readShipped('cache-http.conf'))?.[1] ?? ''
  return [...body.matchAll(/^\s+(?:"~(\*?)([^"]*)"|default)\s+(\S+);$/gm)].map(
    ([, caseless, source, value = '']) => ({
      pattern: source === undefined ? undefined : new RegExp(source, caseless === '*' ? 'i' : ''),
      value,
    }),
  )
}

/** Reads a text by a map: the first matching line counts, or the default when none matches. */
export function createMap(variable: string): (text: string, whole: string) => string {
  const lines = mapLines(variable)
  return (text, whole) => {
    for (const { pattern, value } of lines) {
      const match = pattern === undefined ? undefined : pattern.exec(text)
      if (pattern !== undefined && match === null) continue
      if (value === '""') return ''
      return match?.groups?.[value.slice(1)] ?? whole
    }
    throw new Error(`${variable}: no default`)
  }
}

/** nginx's cache key of a client request, built from the shipped files. */
export function createVerdictKey(): (subrequest: Subrequest) => string {
  const placeOf = createMap('alta_auth_place')
  const queryOf = createMap('alta_auth_query')
  const variables = keyVariables()
  return ({ address, origin, site = '', path, query, userAgent, playbackId }) => {
    const [scheme = '', host = ''] = origin.split('://')
    const uri = query === '' ? path : `${path}?${query}`
    const values: Readonly<Record<string, string>> = {
      $remote_addr: address,
      $scheme: scheme,
      $host: host,
      $alta_auth_host_written: host,
      $alta_auth_site: site,
      $alta_auth_place: placeOf(path, path),
      $alta_auth_query: queryOf(uri, uri),
      $http_user_agent: userAgent,
      $http_x_playback_session_id: playbackId,
    }
    return variables.map((variable) => values[variable] ?? `unknown ${variable}`).join('\n')
  }
}
