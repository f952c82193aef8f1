import { type Finding, failed, ok, warning } from '../finding.ts'
import { lastOf } from './directive.ts'
import { readNginxTime } from './nginx-time.ts'
import { findAuth, type Server, type SiteMap } from './site-map.ts'

const NAME = 'nginx-timeouts'
/** Milliseconds. nginx must wait longer than the gate, but not for long where the gate is frozen. */
const MARGIN = 500
const LONGEST = 10_000
const LONGEST_CONNECT = 5_000
/** What nginx takes where nothing is written. */
const DEFAULT = '60s'

/** `deadline` is BACKEND_TIMEOUT in milliseconds. */
export function checkTimeouts({ http, servers }: SiteMap, deadline: number): readonly Finding[] {
  const asking = servers.filter((server) => findAuth(server) !== undefined)
  const textOf = (server: Server, name: string): string => {
    const levels = [findAuth(server)?.directives ?? [], server.directives, http]
    return levels.flatMap((level) => lastOf(level, name)?.args[0] ?? [])[0] ?? DEFAULT
  }
  const findings = asking.flatMap((server): Finding[] => {
    const [read, connect] = [textOf(server, 'proxy_read_timeout'), textOf(server, 'proxy_connect_timeout')]
    const place = findAuth(server)?.told ?? server.told
    const detail = { read, connect, deadline }
    const seconds = Math.ceil(deadline / 1000) + 1
    const found: Finding[] = []
    const wait = readNginxTime(read)
    if (wait !== undefined && wait < deadline + MARGIN) {
      const remedy = `proxy_read_timeout ${seconds}s; in server.conf (with the verdict cache: cache-server.conf)`
      found.push(
        failed(
          NAME,
          `${place}: nginx waits ${read}, too short for BACKEND_TIMEOUT=${deadline}ms: a slow backend looks like a dead gate`,
          remedy,
          detail,
        ),
      )
    }
    if (wait !== undefined && wait > deadline + LONGEST) {
      const remedy = `proxy_read_timeout ${seconds}s; is enough`
      found.push(
        warning(
          NAME,
          `${place}: nginx waits ${read} for a gate that is frozen, and the viewer with it`,
          remedy,
          detail,
        ),
      )
    }
    if ((readNginxTime(connect) ?? 0) > LONGEST_CONNECT) {
      found.push(
        warning(
          NAME,
          `${place}: nginx tries to connect to the gate for ${connect}`,
          'proxy_connect_timeout 500ms; is enough',
          detail,
        ),
      )
    }
    return found
  })
  if (findings.length > 0) return findings
  const [first] = asking
  const waits = first === undefined ? DEFAULT : textOf(first, 'proxy_read_timeout')
  return [ok(NAME, `nginx waits ${waits}, the gate ${deadline} ms`)]
}
