import { type Finding, failed, ok, skipped, warning } from '../finding.ts'
import { readDump } from './read-dump.ts'
import type { NginxRun } from './run-nginx.ts'
import { createSiteMap, type SiteMap } from './site-map.ts'

/** Whether nginx's configuration could be read; without a map the other checks have nothing to look at. */
export interface ReadNginx {
  readonly finding: Finding
  readonly map: SiteMap | undefined
}

/** What nginx complains about, and what it means here. */
const cures: readonly (readonly [complaint: RegExp, remedy: string])[] = [
  [
    /duplicate location "\/_alta_auth"/,
    'include exactly one of server.conf and cache-server.conf, once in each server',
  ],
  [/duplicate upstream "alta_auth"/, 'include http.conf exactly once'],
  [
    /"alta_auth" zone|zone "alta_auth" is unknown|zero size shared memory zone "alta_auth"|alta_auth_(?:place|query)" variable/,
    'include cache-http.conf at http level, beside http.conf, when you use cache-server.conf',
  ],
  [
    /host not found in upstream "alta_auth"|"alta_auth_\w+" variable|unknown log format "alta_auth"/,
    'include http.conf at http level, before what uses it',
  ],
  [
    /unknown directive "auth_request/,
    'this nginx lacks the module auth_request: install one that has it, such as that of Debian or nginx.org',
  ],
]

/** Only that nginx was not started as root. */
const harmless = /^the "user" directive makes sense only/

export function readNginx(run: NginxRun): ReadNginx {
  const name = 'nginx'
  const without = (finding: Finding): ReadNginx => ({ finding, map: undefined })
  if (run.kind === 'absent') return without(skipped(name, 'there is no nginx on this machine'))
  if (run.kind === 'silent') {
    const remedy = 'does its configuration hold a host name that DNS does not know? Run nginx -T by hand'
    return without(warning(name, `nginx -T takes longer than ${run.limit / 1000} s`, remedy))
  }
  const complaint = /\[(?:emerg|crit)\] (?:\d+#\d+: )?(.*)/.exec(run.stderr)?.[1]
  if (run.code !== 0 || complaint !== undefined) {
    const said = complaint ?? run.stderr.trim().split('\n').at(-1) ?? `exit code ${run.code}`
    if (/\(13: Permission denied\)/.test(said)) {
      const remedy = 'run this check as root, with the settings of the gate: sudo -E alta-auth check'
      return without(skipped(name, `this user may not read its configuration: ${said}`, remedy))
    }
    const cure =
      cures.find(([pattern]) => pattern.test(said))?.[1] ??
      'correct it there; nginx would not start again as it is'
    return without(failed(name, `its configuration is not right: ${said}`, cure))
  }
  const { directives, files } = readDump(run.stdout)
  const map = createSiteMap(directives)
  const warned = [...run.stderr.matchAll(/\[warn\] (?:\d+#\d+: )?(.*)/g)].map(([, said = '']) => said)
  const serious = warned.find((said) => !harmless.test(said))
  if (serious !== undefined) {
    const remedy = 'correct it there: a part of the configuration does not count as it is written'
    return { finding: warning(name, `nginx warns: ${serious}`, remedy, { warned }), map }
  }
  const count = files.length === 1 ? '1 file' : `${files.length} files`
  return {
    finding: ok(name, `its configuration is in order (${count})`, { binary: run.binary, files }),
    map,
  }
}
