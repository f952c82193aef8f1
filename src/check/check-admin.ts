import { formatAddress, type ListenAddress } from '../listen.ts'
import { type Finding, failed, ok, skipped, warning } from './finding.ts'
import { type LookedAt, lookAt } from './look-at.ts'

/** What `/readyz` tells, as far as it is used here; the details are missing when the token is not the gate's. */
export interface Readyz {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly defaultAction?: string
  readonly backends?: readonly {
    readonly name: string
    readonly state: string
    readonly reason?: string
    readonly seconds?: number
  }[]
  readonly byDefault?: { readonly letIn: number; readonly refused: number }
}

export interface CheckedAdmin {
  readonly finding: Finding
  readonly readyz: Readyz | undefined
}

/** Milliseconds. */
const LIMIT = 2_500

/** Asks the admin listener how the gate is; undefined when it is off. */
export function lookAtAdmin(
  address: ListenAddress | undefined,
  token: string | undefined,
  clock: () => number,
): Promise<LookedAt | undefined> {
  if (address === undefined) return Promise.resolve(undefined)
  const authorization: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const headers = { 'User-Agent': 'alta-auth check', ...authorization }
  return lookAt(address, { path: '/readyz', headers, limit: LIMIT, clock })
}

/** Judges what was seen there. `gateAnswers` tells whether there is a gate that could have an admin listener. */
export function checkAdmin(
  address: ListenAddress | undefined,
  looked: LookedAt | undefined,
  hasToken: boolean,
  gateAnswers: boolean,
): CheckedAdmin {
  if (address === undefined || looked === undefined)
    return { finding: skipped('admin', 'ADMIN_LISTEN=off'), readyz: undefined }
  return judge(looked, formatAddress(address), hasToken, gateAnswers)
}

function judge(looked: LookedAt, where: string, hasToken: boolean, gateAnswers: boolean): CheckedAdmin {
  const name = 'admin'
  const without = (finding: Finding): CheckedAdmin => ({ finding, readyz: undefined })
  if (looked.kind === 'refused' && looked.code === 'EACCES')
    return without(skipped(name, `this user may not connect to ${where}`, 'run this check as root'))
  if (looked.kind === 'refused' || looked.kind === 'silent') {
    if (!gateAnswers) return without(skipped(name, `nothing listens on ${where}: the gate is not running`))
    const remedy = 'was the gate started with another ADMIN_LISTEN? Restart it, so that these settings count'
    return without(failed(name, `nothing listens on ${where}, but the gate answers`, remedy))
  }
  if (looked.kind === 'frozen') {
    return without(failed(name, `frozen: no answer within ${LIMIT} ms on ${where}`, 'restart the gate'))
  }
  const readyz = looked.kind === 'answered' ? readReadyz(looked.body) : undefined
  if (looked.kind === 'not-http' || readyz === undefined) {
    const remedy = 'stop what is there, or give ADMIN_LISTEN another address'
    return without(failed(name, `something else answers on ${where}`, remedy))
  }
  if (!readyz.ready) {
    const remedy = 'wait a moment and look again; the log of the gate tells more'
    return { readyz, finding: failed(name, `the gate is not ready: ${readyz.reasons.join(', ')}`, remedy) }
  }
  if (readyz.backends === undefined) {
    const remedy = hasToken
      ? 'ADMIN_TOKEN is another one than that of the running gate: restart it, so that these settings count'
      : 'the running gate has an ADMIN_TOKEN: run this check with the settings of the gate'
    return { readyz, finding: warning(name, `answers on ${where}, but tells no details`, remedy) }
  }
  return { readyz, finding: ok(name, `answers on ${where}: ready (${looked.ms} ms)`, { ms: looked.ms }) }
}

function readReadyz(body: string): Readyz | undefined {
  try {
    const read: unknown = JSON.parse(body)
    const isOurs = typeof read === 'object' && read !== null && 'ready' in read && 'reasons' in read
    return isOurs && Array.isArray(read.reasons) ? (read as Readyz) : undefined
  } catch {
    return undefined
  }
}
