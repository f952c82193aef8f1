import { type Finding, findingsOf } from '../finding.ts'
import { lastOf } from '../nginx-conf/directive.ts'
import { readNginxTime } from '../nginx-conf/nginx-time.ts'
import type { AskingServer, SiteMap } from '../nginx-conf/site-map.ts'

const { ok, warning, failed, skipped } = findingsOf('nginx-timeouts')
/**
 * Milliseconds that nginx should wait longer than the gate: at least, and at most, since a gate may be
 * frozen.
 */
const MARGIN = 500
const LONGEST = 10_000
const LONGEST_CONNECT = 5_000
/** nginx's own value. */
const DEFAULT = '60s'

/** Checks how long nginx waits for the gate. @param deadline BACKEND_TIMEOUT in milliseconds */
export function checkTimeouts({ http, asking }: SiteMap, deadline: number): readonly Finding[] {
  const timeOf = ({ auth, directives }: AskingServer, name: string): string =>
    [auth.directives, directives, http].flatMap((level) => lastOf(level, name)?.args[0] ?? [])[0] ?? DEFAULT
  const times = asking.map((server) => ({
    told: server.auth.told,
    read: timeOf(server, 'proxy_read_timeout'),
    connect: timeOf(server, 'proxy_connect_timeout'),
  }))
  if (times.length === 0) return [skipped('no server asks the gate')]
  const findings = times.flatMap((one) => judge(one, deadline))
  if (findings.length > 0) return findings
  const waits = [...new Set(times.map(({ read }) => read))]
  return [ok(`nginx waits ${waits.join(', ')}, the gate ${deadline} ms`)]
}

interface Times {
  readonly told: string
  /** As nginx writes times. */
  readonly read: string
  readonly connect: string
}

function judge({ told, read, connect }: Times, deadline: number): Finding[] {
  const findings: Finding[] = []
  const detail = { read, connect, deadline }
  const enough = `proxy_read_timeout ${Math.ceil(deadline / 1000) + 1}s;`
  const wait = readNginxTime(read)
  if (wait !== undefined && wait < deadline + MARGIN) {
    const sentence = `${told}: nginx waits ${read}, too short for BACKEND_TIMEOUT=${deadline}ms: a slow backend looks like a dead gate`
    const remedy = `${enough} in server.conf`
    findings.push(failed(sentence, remedy, detail))
  }
  if (wait !== undefined && wait > deadline + LONGEST) {
    const sentence = `${told}: nginx waits ${read} for a gate that is frozen, and the viewer with it`
    findings.push(warning(sentence, `${enough} is enough`, detail))
  }
  if ((readNginxTime(connect) ?? 0) > LONGEST_CONNECT) {
    const sentence = `${told}: nginx tries to connect to the gate for ${connect}`
    findings.push(warning(sentence, 'proxy_connect_timeout 500ms; is enough', detail))
  }
  return findings
}
