/** One decision, as nginx's access log holds it in the shipped format `alta_auth`. */
export interface LoggedDecision {
  /** ISO 8601, whole seconds. */
  readonly time: string
  readonly verdict: 'allow' | 'deny'
  readonly source: string
  readonly reason: string
  /** Empty when there is none. */
  readonly session: string
  readonly path: string
  /** The status that the viewer got. */
  readonly status: number
}

const line =
  /^\S+ \[([^\]]+)\] "\S+ ([^"]*)" (\d{3}) \d+ verdict=(allow|deny) source=(\S*) reason=(\S*) session=(\S*) user=/

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Reads a line of the log. Undefined when nothing was decided: the request was for an unprotected location.
 */
export function readLoggedDecision(text: string): LoggedDecision | undefined {
  const [, time, path, status, verdict, source, reason, session] = line.exec(text) ?? []
  if (time === undefined || path === undefined || source === undefined || reason === undefined)
    return undefined
  if (verdict !== 'allow' && verdict !== 'deny') return undefined
  return {
    time: readLocalTime(time),
    verdict,
    source,
    reason,
    session: session === '-' || session === undefined ? '' : session,
    path,
    status: Number(status),
  }
}

/** Reads nginx's `$time_local`, such as `24/Nov/2026:13:25:42 +0000`. */
function readLocalTime(text: string): string {
  const [, day, month = '', year, clock, zone] =
    /^(\d\d)\/(\w{3})\/(\d{4}):(\S+) ([+-]\d{4})$/.exec(text) ?? []
  const number = String(months.indexOf(month) + 1).padStart(2, '0')
  const time = new Date(`${year}-${number}-${day}T${clock}${zone?.slice(0, 3)}:${zone?.slice(3)}`)
  return Number.isNaN(time.getTime()) ? '' : time.toISOString()
}
