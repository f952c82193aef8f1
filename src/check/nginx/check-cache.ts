import { type Finding, failed, ok, warning } from '../finding.ts'
import { type Directive, lastOf, named, textOf } from './directive.ts'
import { readNginxTime } from './nginx-time.ts'
import { missingFrom, readShipped, shippedAuth } from './shipped.ts'
import { findAuth, type Location, type Server, type SiteMap } from './site-map.ts'

const NAME = 'nginx-cache'
const isCaching = /^(?:proxy_cache|proxy_ignore_headers|proxy_buffering)/
const COPY =
  'copy cache-server.conf and cache-http.conf of this version again, and change nothing of the cache'
/** What `inactive` is where proxy_cache_path does not say. */
const DEFAULT_INACTIVE = '10m'

/** Whether nginx repeats a verdict to nobody else, and for no longer, than the gate said. `sessionIdle` in milliseconds. */
export function checkCache({ http, servers }: SiteMap, sessionIdle: number): readonly Finding[] {
  const asking = servers.filter((server) => findAuth(server) !== undefined)
  const cached = asking.filter((server) => zoneOf(server, http).zone !== 'off')
  if (cached.length === 0) return [ok(NAME, 'the verdict cache is not used')]
  const own = cached.filter((server) => zoneOf(server, http).isOwn)
  const findings = [
    ...cached.flatMap((server) => checkServer(server, http)),
    ...(own.length === 0 ? [] : checkHttp(own, http, sessionIdle)),
  ]
  return findings.length > 0 ? findings : [ok(NAME, 'the verdict cache is as shipped')]
}

function zoneOf(server: Server, http: readonly Directive[]): { zone: string; isOwn: boolean } {
  const own = lastOf(findAuth(server)?.directives ?? [], 'proxy_cache')?.args[0]
  const inherited = (lastOf(server.directives, 'proxy_cache') ?? lastOf(http, 'proxy_cache'))?.args[0]
  return { zone: own ?? inherited ?? 'off', isOwn: own !== undefined }
}

function checkServer(server: Server, http: readonly Directive[]): Finding[] {
  const auth = findAuth(server)
  if (auth === undefined) return []
  if (!zoneOf(server, http).isOwn) {
    const remedy = 'include server.conf as it is shipped: it says proxy_cache off'
    return [
      failed(
        NAME,
        `${auth.told} inherits a proxy_cache: one viewer's verdict would be the next one's`,
        remedy,
      ),
    ]
  }
  return [...checkKey(auth), ...checkLines(auth)]
}

function checkKey({ directives, told }: Location): Finding[] {
  const shipped = lastOf(shippedAuth('cache-server.conf'), 'proxy_cache_key')
  const key = lastOf(directives, 'proxy_cache_key')
  if (key !== undefined && shipped !== undefined && textOf(key) === textOf(shipped)) return []
  return [failed(NAME, `${told} has a proxy_cache_key of its own: what the key lacks lets others in`, COPY)]
}

function checkLines({ directives, told }: Location): Finding[] {
  const shipped = shippedAuth('cache-server.conf').filter(({ name }) => isCaching.test(name))
  const ignoresUs = directives.some(
    ({ name, args }) => name === 'proxy_ignore_headers' && args.some((arg) => /^x-accel-expires$/i.test(arg)),
  )
  if (ignoresUs) {
    const remedy =
      'take X-Accel-Expires out of proxy_ignore_headers: the gate says how long each verdict holds'
    return [failed(NAME, `${told} does not hear how long a verdict holds (proxy_ignore_headers)`, remedy)]
  }
  const own = directives.filter(({ name }) => name === 'proxy_cache_valid')
  const missing = missingFrom(directives, shipped).filter(
    ({ name }) => name !== 'proxy_cache_key' && name !== 'proxy_cache',
  )
  const changed = [...new Set([...own, ...missing].map(({ name }) => name))]
  if (changed.length === 0) return []
  return [warning(NAME, `${told} is not as in cache-server.conf: ${changed.join(', ')}`, COPY)]
}

function checkHttp(cached: readonly Server[], http: readonly Directive[], sessionIdle: number): Finding[] {
  const findings: Finding[] = []
  const changed = missingFrom(http, named(readShipped('cache-http.conf'), 'map')).map(
    ({ args }) => args[1] ?? '',
  )
  if (changed.length > 0)
    findings.push(
      failed(NAME, `the key is made by hand: ${changed.join(', ')} is not as in cache-http.conf`, COPY),
    )
  const zones = new Set(cached.map((server) => zoneOf(server, http).zone))
  const path = named(http, 'proxy_cache_path').find(({ args }) =>
    args.some((arg) => zones.has(/^keys_zone=([^:]+)/.exec(arg)?.[1] ?? '')),
  )
  const inactive =
    path?.args.find((arg) => arg.startsWith('inactive='))?.slice('inactive='.length) ?? DEFAULT_INACTIVE
  if (path !== undefined && readNginxTime(inactive) !== sessionIdle) {
    const remedy = `inactive=${sessionIdle}ms in the proxy_cache_path of cache-http.conf`
    findings.push(
      warning(NAME, `verdicts lie for inactive=${inactive}, but SESSION_IDLE is ${sessionIdle} ms`, remedy),
    )
  }
  return findings
}
