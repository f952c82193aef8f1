import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, lastOf, named, textOf } from '../nginx-conf/directive.ts'
import { readNginxTime } from '../nginx-conf/nginx-time.ts'
import { missingFrom, readShipped, shippedAuth } from '../nginx-conf/shipped.ts'
import type { AskingServer, Location, SiteMap } from '../nginx-conf/site-map.ts'
import { writtenAhead } from './look-at-verdicts.ts'

const { ok, warning, failed } = findingsOf('nginx-cache')
const isCaching = /^(?:proxy_cache|proxy_ignore_headers|proxy_buffering)/
const COPY = 'copy server.conf and cache-http.conf of this version again, and change nothing of the cache'
/** nginx's own value of `inactive`. */
const DEFAULT_INACTIVE = '10m'

/** Milliseconds by which a clock may be wrong without harm. */
const CLOCK_MARGIN = 5_000

/** The settings of the gate that limit the cache, and the time. */
interface CheckCacheOptions {
  /** Milliseconds. */
  readonly sessionIdle: number
  /** Wall clock in milliseconds. */
  readonly now: number
}

/** Checks that nginx repeats a verdict to no other viewer, and no longer than the gate said. */
export function checkCache({ http, asking }: SiteMap, options: CheckCacheOptions): readonly Finding[] {
  const cached = asking
    .map((server) => ({ auth: server.auth, ...zoneOf(server, http) }))
    .filter(({ zone }) => zone !== 'off')
  if (cached.length === 0) return [ok('the verdict cache is not used')]
  const zones = new Set(cached.filter(({ isOwn }) => isOwn).map(({ zone }) => zone))
  const findings = [
    ...cached.flatMap(({ auth, isOwn }) =>
      isOwn ? [...checkKey(auth), ...checkLines(auth)] : [strange(auth)],
    ),
    ...(zones.size === 0 ? [] : checkHttp(zones, http, options)),
  ]
  return findings.length > 0 ? findings : [ok('the verdict cache is as shipped')]
}

function zoneOf(
  { auth, directives }: AskingServer,
  http: readonly Directive[],
): { zone: string; isOwn: boolean } {
  const own = zoneNameOf(lastOf(auth.directives, 'proxy_cache')?.args[0], http)
  const inherited = (lastOf(directives, 'proxy_cache') ?? lastOf(http, 'proxy_cache'))?.args[0]
  return { zone: own ?? inherited ?? 'off', isOwn: own !== undefined }
}

/** The zone that counts: server.conf names a variable, and a map of cache-http.conf gives it a value. */
function zoneNameOf(written: string | undefined, http: readonly Directive[]): string | undefined {
  if (written?.startsWith('$') !== true) return written
  const map = named(http, 'map').findLast(({ args }) => args[1] === written)
  return lastOf(map?.block ?? [], 'default')?.args[0] || 'off'
}

function strange({ told }: Location): Finding {
  const remedy = 'copy server.conf of this version again: its own proxy_cache takes none from elsewhere'
  return failed(`${told} inherits a proxy_cache: one viewer's verdict would be the next one's`, remedy)
}

function checkKey({ directives, told }: Location): Finding[] {
  const shipped = lastOf(shippedAuth(), 'proxy_cache_key')
  const key = lastOf(directives, 'proxy_cache_key')
  if (key !== undefined && shipped !== undefined && textOf(key) === textOf(shipped)) return []
  return [failed(`${told} has a proxy_cache_key of its own: what the key lacks lets others in`, COPY)]
}

function checkLines({ directives, told }: Location): Finding[] {
  const ignoresUs = directives.some(
    ({ name, args }) => name === 'proxy_ignore_headers' && args.some((arg) => /^x-accel-expires$/i.test(arg)),
  )
  if (ignoresUs) {
    const remedy =
      'take X-Accel-Expires out of proxy_ignore_headers: the gate says how long each verdict holds'
    return [failed(`${told} does not hear how long a verdict holds (proxy_ignore_headers)`, remedy)]
  }
  const shipped = shippedAuth().filter(
    ({ name }) => isCaching.test(name) && name !== 'proxy_cache_key' && name !== 'proxy_cache',
  )
  const own = named(directives, 'proxy_cache_valid')
  const changed = new Set([...own, ...missingFrom(directives, shipped)].map(({ name }) => name))
  if (changed.size === 0) return []
  return [warning(`${told} is not as in server.conf: ${[...changed].join(', ')}`, COPY)]
}

function checkHttp(
  zones: ReadonlySet<string>,
  http: readonly Directive[],
  { sessionIdle, now }: CheckCacheOptions,
): Finding[] {
  const findings: Finding[] = []
  const missing = missingFrom(http, named(readShipped('cache-http.conf'), 'map'))
  if (missing.length > 0) {
    const variables = missing.map(({ args }) => args[1] ?? '').join(', ')
    findings.push(failed(`the key is made by hand: ${variables} is not as in cache-http.conf`, COPY))
  }
  const path = named(http, 'proxy_cache_path').find(({ args }) =>
    args.some((arg) => zones.has(/^keys_zone=([^:]+)/.exec(arg)?.[1] ?? '')),
  )
  const inactive =
    path?.args.find((arg) => arg.startsWith('inactive='))?.slice('inactive='.length) ?? DEFAULT_INACTIVE
  if (path !== undefined && readNginxTime(inactive) !== sessionIdle) {
    const sentence = `verdicts lie for inactive=${inactive}, but SESSION_IDLE is ${sessionIdle} ms`
    const remedy = `inactive=${sessionIdle}ms in the proxy_cache_path of cache-http.conf`
    findings.push(warning(sentence, remedy))
  }
  return [...findings, ...checkTimes(path?.args[0] ?? '', now)]
}

/**
 * Checks the times of the files. nginx writes the end of a verdict by the wall clock. A file written later
 * than now is from before the clock was set back.
 */
function checkTimes(folder: string, now: number): Finding[] {
  const ahead = writtenAhead(folder, now)
  if (ahead <= CLOCK_MARGIN) return []
  const seconds = Math.round(ahead / 1000)
  const sentence = `the clock was set back: verdicts in ${folder} were written up to ${seconds} s from now, and count that much too long`
  const remedy = `find ${folder} -type f -delete; nginx -s reload; and let the clock be slewed, not stepped`
  return [failed(sentence, remedy, { seconds })]
}
