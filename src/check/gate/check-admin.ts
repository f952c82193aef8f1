import { formatAddress, type ListenAddress } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { type LookedAt, lookAt } from './look-at.ts'

/** The fields of `/readyz` that are used here. The details are missing when the token is not the gate's. */
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
  /** Of the answers of the backends themselves, since the start. */
  readonly byBackend?: { readonly letIn: number; readonly refused: number }
  readonly byDefault?: { readonly letIn: number; readonly refused: number }
  /** Of the store; null where there is none. A gate of an older version does not tell. */
  readonly state?: {
    readonly usable: boolean
    readonly since: string
    readonly why?: string
    readonly message?: string
  } | null
  /** Of the gates that share the store; undefined where nobody shares it. */
  readonly gates?: {
    readonly name: string
    /** Seconds since each was heard of. */
    readonly all: readonly { readonly name: string; readonly seen: number }[]
  }
}

/** The finding, and what `/readyz` answered. */
interface CheckedAdmin {
  readonly finding: Finding
  readonly readyz: Readyz | undefined
}

const { ok, warning, failed, skipped } = findingsOf('admin')
/** Milliseconds. */
const LIMIT = 2_500
/** A gate that was heard of within so many seconds is there; it says so every two. */
const HEARD = 6

/** Asks the admin listener for the state of the gate; undefined when the listener is off. */
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

/** Checks what answered there. @param gateAnswers whether a gate runs that could have an admin listener */
export function checkAdmin(
  address: ListenAddress | undefined,
  looked: LookedAt | undefined,
  hasToken: boolean,
  gateAnswers: boolean,
): CheckedAdmin {
  if (address === undefined || looked === undefined)
    return { finding: skipped('ADMIN_LISTEN=off'), readyz: undefined }
  const where = formatAddress(address)
  const readyz = looked.kind === 'answered' ? readReadyz(looked.body) : undefined
  const finding =
    looked.kind === 'answered' && readyz !== undefined
      ? judgeReadyz(readyz, looked.ms, where, hasToken)
      : judgeStrange(looked, where, gateAnswers)
  return { finding, readyz }
}

/** Judges an answer that is not a gate's. */
function judgeStrange(looked: LookedAt, where: string, gateAnswers: boolean): Finding {
  switch (looked.kind) {
    case 'refused':
    case 'silent': {
      if (looked.kind === 'refused' && looked.code === 'EACCES')
        return skipped(`this user may not connect to ${where}`, 'run this check as root')
      if (!gateAnswers) return skipped(`nothing listens on ${where}: the gate is not running`)
      const remedy =
        'was the gate started with another ADMIN_LISTEN? Restart it, so that these settings count'
      return failed(`nothing listens on ${where}, but the gate answers`, remedy)
    }
    case 'frozen':
      return failed(`frozen: no answer within ${LIMIT} ms on ${where}`, 'restart the gate')
    case 'answered':
    case 'not-http': {
      const remedy = 'stop what is there, or give ADMIN_LISTEN another address'
      return failed(`something else answers on ${where}`, remedy)
    }
  }
}

function judgeReadyz(readyz: Readyz, ms: number, where: string, hasToken: boolean): Finding {
  if (!readyz.ready) {
    const remedy = 'wait a moment and look again; the log of the gate tells more'
    return failed(`the gate is not ready: ${readyz.reasons.join(', ')}`, remedy)
  }
  if (readyz.backends === undefined) {
    const remedy = hasToken
      ? 'ADMIN_TOKEN is another one than that of the running gate: restart it, so that these settings count'
      : 'the running gate has an ADMIN_TOKEN: run this check with the settings of the gate'
    return warning(`answers on ${where}, but tells no details`, remedy)
  }
  return judgeGates(readyz, ms, where)
}

/** It speaks for all gates that share the store. */
function judgeGates({ gates }: Readyz, ms: number, where: string): Finding {
  const others = gates?.all.filter(({ name }) => name !== gates.name) ?? []
  const silent = others.filter(({ seen }) => seen > HEARD)
  const named = silent.map(({ name, seen }) => `${name} for ${seen} s`).join(', ')
  if (silent.length > 0)
    return warning(
      `answers on ${where}, but has not heard of ${named}, which shared its store`,
      'look whether it runs and reaches Valkey: its own /readyz and log tell. A gate that is gone for good is forgotten after ten minutes',
      { ms, silent },
    )
  const also = others.length === 0 ? '' : `, and hears of ${others.map(({ name }) => name).join(', ')}`
  return ok(`answers on ${where}: ready (${ms} ms)${also}`, undefined, { ms })
}

/** Reads `/readyz`; undefined when another program has answered. */
function readReadyz(body: string): Readyz | undefined {
  try {
    const read: Partial<Readyz> | null = JSON.parse(body)
    const isOurs = typeof read?.ready === 'boolean' && Array.isArray(read.reasons)
    return isOurs && Array.isArray(read.backends ?? []) ? (read as Readyz) : undefined
  } catch {
    return undefined
  }
}
