import { type Finding, findingsOf } from '../finding.ts'
import { readDump } from '../nginx-conf/read-dump.ts'
import type { NginxRun } from '../nginx-conf/run-nginx.ts'
import { createSiteMap, type SiteMap } from '../nginx-conf/site-map.ts'

/** The finding about nginx's configuration. Without `map` the other checks of nginx cannot run. */
export interface ReadNginx {
  readonly finding: Finding
  readonly map: SiteMap | undefined
}

const { ok, warning, failed, skipped } = findingsOf('nginx')

/** Complaints of nginx, and their remedies here. */
const cures: readonly (readonly [complaint: RegExp, remedy: string])[] = [
  [
    /cache-server\.conf" failed|"alta_auth" zone|zone "alta_auth" is unknown|zero size shared memory zone "alta_auth"/,
    'include server.conf in place of cache-server.conf: the verdict cache is on where cache-http.conf is included',
  ],
  [
    /duplicate location "\/_alta_auth"/,
    'include server.conf once in each server, and no cache-server.conf of an older version beside it',
  ],
  [/duplicate upstream "alta_auth"/, 'include http.conf exactly once'],
  [
    /"alta_auth_server_conf" variable/,
    'include server.conf in each server with protected locations: it is in none',
  ],
  [
    /"alta_auth_cors_origin" variable/,
    'cors.conf is included: write the map that names the allowed origins, at http level (docs/nginx.md)',
  ],
  [
    /"alta_auth_(?:kept|set|ctl|cookie_mode)" variable/,
    'copy http.conf and server.conf of this version again: cookie.conf needs theirs',
  ],
  [
    /host not found in upstream "alta_auth"|"alta_auth_\w+" variable|unknown log format "alta_auth"/,
    'include http.conf at http level, before what uses it',
  ],
  [
    /unknown directive "auth_request/,
    'this nginx lacks the module auth_request: install one that has it, such as that of Debian or nginx.org; see docs/nginx.md, "What you need"',
  ],
  [
    /"auth_request" directive is duplicate/,
    'this location has an auth_request of its own beside location.conf, or includes it twice: leave one of them; let the backend decide what the other asked',
  ],
  [
    /"map_hash_\w+" directive is duplicate/,
    'move the map_hash lines above the include of http.conf: the first map fixes the size',
  ],
  [
    /could not build map_hash/,
    'write map_hash_bucket_size 128; at http level, above the include of http.conf: a map of yours holds a long name',
  ],
  [
    /"\w+" directive is not allowed here in \S*location\.conf/,
    'include location.conf in the location itself: not in if, not in limit_except, not at http level',
  ],
  [
    /"\w+" directive is not allowed here in \S*cookie\.conf/,
    'include cookie.conf in the location itself. Where an if has add_header lines, repeat the two of cookie.conf in it',
  ],
]

/**
 * That nginx was not started as root; and that its names do not fit into the hash that it would like best: it
 * then takes another one.
 */
const harmless = /^the "user" directive makes sense only|^could not build optimal variables_hash/

/** Judges the output of `nginx -T`, and reads the configuration that it printed. */
export function readNginx(run: NginxRun): ReadNginx {
  const without = (finding: Finding): ReadNginx => ({ finding, map: undefined })
  if (run.kind === 'absent') return without(skipped('there is no nginx on this machine'))
  if (run.kind === 'silent') {
    const remedy = 'does its configuration hold a host name that DNS does not know? Run nginx -T by hand'
    return without(warning(`nginx -T takes longer than ${run.limit / 1000} s`, remedy))
  }
  const stderr = mask(run.stderr)
  const complaint = /\[(?:emerg|crit)\] (?:\d+#\d+: )?([^\n]*)/.exec(stderr)?.[1]
  if (run.code !== 0 || complaint !== undefined) {
    const said = complaint ?? stderr.trim().split('\n').at(-1) ?? `exit code ${run.code}`
    if (/\(13: Permission denied\)/.test(said)) {
      const remedy = 'run this check as root, with the settings of the gate: sudo -E alta-auth check'
      return without(skipped(`this user may not read its configuration: ${said}`, remedy))
    }
    const cure =
      cures.find(([pattern]) => pattern.test(said))?.[1] ??
      'correct it there; nginx would not start again as it is'
    return without(failed(`its configuration is not right: ${said}`, cure))
  }
  const { directives, files } = readDump(run.stdout)
  const map = createSiteMap(directives)
  const warned = [...stderr.matchAll(/\[warn\] (?:\d+#\d+: )?([^\n]*)/g)].map(([, said = '']) => said)
  const serious = warned.find((said) => !harmless.test(said))
  if (serious !== undefined) {
    const remedy = 'correct it there: a part of the configuration does not count as it is written'
    return { finding: warning(`nginx warns: ${serious}`, remedy, { warned }), map }
  }
  const count = files.length === 1 ? '1 file' : `${files.length} files`
  const sentence = `its configuration is in order (${count})`
  return { finding: ok(sentence, undefined, { binary: run.binary, files }), map }
}

/** Masks secrets: nginx repeats what it does not understand, and a URL there may hold a password or a key. */
function mask(said: string): string {
  return said.replaceAll(/[^\s"/:]+:[^\s"/]*@/g, '***@').replaceAll(/([?&][^\s"=&?]+=)[^\s"&]+/g, '$1***')
}
