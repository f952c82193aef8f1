import { request } from './client.ts'
import type { Nginx } from './nginx.ts'
import { until } from './until.ts'

/** One line of nginx's access log. */
export interface LoggedRequest {
  /** The client's. */
  readonly address: string
  readonly path: string
  readonly status: number
  readonly bytes: number
  readonly reason: string
  readonly session: string
}

const line =
  /^(\S+) \[[^\]]*\] "\S+ (.*)" (\d{3}) (\d+) verdict=\S* source=\S* reason=(\S*) session=(\S*) user=.* "([^"]*)"$/

let marks = 0

/** What nginx logged for one User-Agent. It holds all requests that were answered before the call. */
export async function readViewerLog(nginx: Nginx, userAgent: string): Promise<LoggedRequest[]> {
  // nginx logs a request a moment after its last byte was sent. Its only worker logs them in order.
  const mark = `mark-${++marks}`
  await request({ port: nginx.port, target: `/open/${mark}`, headers: [`User-Agent: ${mark}`] })
  await until('the access log', () => nginx.accessLog().some((text) => text.endsWith(`"${mark}"`)))
  return readLoggedNow(nginx, userAgent)
}

/** What nginx has logged for one User-Agent so far. */
export function readLoggedNow(nginx: Nginx, userAgent: string): LoggedRequest[] {
  return nginx.accessLog().flatMap((text) => {
    const [, address = '', path = '', status, bytes, reason = '', session = '', agent] = line.exec(text) ?? []
    if (agent !== userAgent) return []
    return [{ address, path, status: Number(status), bytes: Number(bytes), reason, session }]
  })
}

/** `path bytes` of every file that was sent, once each, in order of their names. */
export function deliveredFiles(log: readonly LoggedRequest[]): string[] {
  const sent = log.filter(({ status }) => status === 200 || status === 206)
  return [...new Set(sent.map(({ path, bytes }) => `${path} ${bytes}`))].sort()
}
