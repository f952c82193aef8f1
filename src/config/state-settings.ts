import type { ValkeyMode, ValkeySettings } from '../state/valkey/valkey-settings.ts'
import type { StateUrl } from './state-url.ts'
import type { ValkeyUrl } from './valkey-url.ts'
import { ValueError } from './values.ts'

/** Where sessions outlive a gate: a folder of its own, or a Valkey that gates share. */
export type StateSettings = FolderSettings | ({ readonly kind: 'valkey' } & ValkeySettings)

/** A store in a folder. */
export interface FolderSettings {
  readonly kind: 'file'
  /** An absolute path. */
  readonly folder: string
  /** Bytes. */
  readonly max: number
  /** The first one seals, each one opens; none = not sealed. */
  readonly secrets: readonly string[]
  /** Milliseconds that a miss waits for it. */
  readonly timeout: number
}

/** The settings that say where the store is, each as read by itself. */
interface Raw {
  readonly STATE_URL?: StateUrl | undefined
  readonly STATE_MODE?: ValkeyMode
  readonly STATE_MAX?: number
  readonly STATE_SECRET?: readonly string[]
  readonly STATE_TIMEOUT?: number
  readonly STATE_PREFIX?: string
}

const VALKEY_PORT = 6379
const SENTINEL_PORT = 26_379

/** Reads STATE_MODE. @throws {ValueError} */
export function readStateMode(text: string): ValkeyMode {
  if (text === 'single' || text === 'cluster') return { kind: text }
  const name = /^sentinel:([A-Za-z0-9._-]{1,64})$/.exec(text)?.[1]
  if (name === undefined)
    throw new ValueError(
      'is not one of single, cluster, sentinel:NAME; the name is the one behind "sentinel monitor", of letters, digits and ._-',
    )
  return { kind: 'sentinel', name }
}

/** Reads STATE_PREFIX. Braces would change which node of a cluster has a key. @throws {ValueError} */
export function readStatePrefix(text: string): string {
  if (!/^[A-Za-z0-9:._-]{1,64}$/.test(text))
    throw new ValueError('is no beginning of a key; write 1 to 64 letters, digits and :._-')
  return text
}

/** What does not fit together, one problem for each setting. A setting that is wrong by itself is missing. */
export function findMisfits(raw: Raw): string[] {
  if (!('STATE_URL' in raw)) return []
  const { STATE_URL: url, STATE_MODE: mode, STATE_SECRET: secrets } = raw
  const valkey = url?.kind === 'valkey' ? url : undefined
  const problems: string[] = []
  if (valkey !== undefined && secrets?.length === 0)
    problems.push(
      'STATE_SECRET is not set, but nothing may lie unsealed in the Valkey of STATE_URL; make one with "openssl rand -hex 32" and write the same one on all gates',
    )
  const misfit = mode && modeMisfit(mode, valkey)
  if (misfit !== undefined) problems.push(misfit)
  return problems
}

function modeMisfit(mode: ValkeyMode, url: ValkeyUrl | undefined): string | undefined {
  const shown = `STATE_MODE=${formatMode(mode)}`
  if (url === undefined)
    return mode.kind === 'single'
      ? undefined
      : `${shown} needs addresses of Valkey in STATE_URL; write them there, or leave STATE_MODE out`
  const { nodes, database } = url
  if (mode.kind === 'single')
    return nodes.length === 1
      ? undefined
      : `${shown} takes one address, but STATE_URL holds ${nodes.length}; write cluster or sentinel:NAME, or one address`
  if (nodes.some(({ kind }) => kind === 'unix'))
    return `${shown} needs hosts in STATE_URL, because its servers tell each other's host and port; write valkey://host:${portOf(mode)}, or leave STATE_MODE out`
  if (mode.kind === 'cluster' && database !== 0)
    return `${shown} has no database but 0, and STATE_URL names ${database}; leave it out there`
  return undefined
}

/** The settings of the store; undefined = none. */
export function toStateSettings(raw: Required<Raw>): StateSettings | undefined {
  const { STATE_URL: url, STATE_MAX: max, STATE_SECRET: secrets, STATE_TIMEOUT: timeout } = raw
  if (url === undefined) return undefined
  if (url.kind === 'file') return { ...url, max, secrets, timeout }
  const { STATE_MODE: mode, STATE_PREFIX: prefix } = raw
  const nodes = url.nodes.map((node) =>
    node.kind === 'unix' ? node : { ...node, port: node.port ?? portOf(mode) },
  )
  return { ...url, nodes, mode, prefix, secrets, timeout }
}

function portOf({ kind }: ValkeyMode): number {
  return kind === 'sentinel' ? SENTINEL_PORT : VALKEY_PORT
}

function formatMode(mode: ValkeyMode): string {
  return mode.kind === 'sentinel' ? `sentinel:${mode.name}` : mode.kind
}
