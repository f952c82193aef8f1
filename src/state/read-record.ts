import type { Limited } from '../decision/limit.ts'
import type { End } from '../decision/stored.ts'
import { unavailableReasons } from '../verdict.ts'
import type { CloseMark } from './close-mark.ts'
import type { SessionRecord } from './record.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * A record of this release, of the one before or of the one after. Fields that this release does not know
 * are left out.
 * @returns undefined when it is none
 */
export function readRecord(text: string): SessionRecord | undefined {
  const fields = readFields(text)
  if (fields === undefined) return undefined
  const failure = fields['failure'] === undefined ? undefined : readFailure(fields['failure'])
  if (failure === undefined && fields['failure'] !== undefined) return undefined
  const limited = fields['limited'] === undefined ? undefined : readLimited(fields['limited'])
  if (limited === undefined && fields['limited'] !== undefined) return undefined
  const record: { [Field in keyof SessionRecord]: unknown } = {
    ...pick(fields, texts),
    ...pick(fields, numbers),
    ...pickTexts(fields, ['address', 'cookies', 'leadsTo', 'onlyFrom', 'site']),
    ...(fields['isStrict'] === true && { isStrict: true }),
    dueAt: fields['dueAt'],
    silent: fields['silent'],
    ...(failure === undefined ? {} : { failure }),
    ...(limited === undefined ? {} : { limited }),
  }
  const isRecord =
    texts.every((name) => typeof record[name] === 'string') &&
    numbers.every((name) => Number.isFinite(record[name])) &&
    (record.dueAt === null || Number.isFinite(record.dueAt)) &&
    typeof record.silent === 'boolean'
  return isRecord ? (record as SessionRecord) : undefined
}

/** The filter of a mark; undefined when there is something in it that this release does not know. */
export function readFilter(text: string): CloseMark['filter'] | undefined {
  const fields = readFields(text)
  if (fields === undefined) return undefined
  const isFilter = Object.entries(fields).every(
    ([name, value]) => filters.some((known) => known === name) && typeof value === 'string',
  )
  return isFilter ? fields : undefined
}

const whys = ['closed', 'denied', 'displaced', 'shared'] as const satisfies readonly End['why'][]

/** Why a session has ended, as another gate or release has written it; undefined when it is none. */
export function readEnd(fields: Readonly<Record<string, unknown>>): End | undefined {
  const why = whys.find((known) => known === fields['why'])
  if (why === undefined) return undefined
  const { by, cause } = fields
  return { why, ...(typeof by === 'string' && { by }), ...(typeof cause === 'string' && { cause }) }
}

const texts = ['id', 'viewer', 'origin', 'path', 'query', 'userAgent', 'playbackId', 'user'] as const
const numbers = [
  'openedAt',
  'lastSeen',
  'activeAt',
  'requests',
  'allowedAt',
  'resumeFor',
  'part',
] as const satisfies readonly (keyof SessionRecord)[]
const filters = ['channel', 'address', 'user', 'id'] as const satisfies readonly (keyof CloseMark['filter'])[]

function readFailure(value: unknown): SessionRecord['failure'] {
  if (!isFields(value)) return undefined
  const { reason, at, holdsUntil } = value as Record<'reason' | 'at' | 'holdsUntil', unknown>
  if (typeof reason !== 'string' || !isNumber(at) || !isNumber(holdsUntil)) return undefined
  // A later release may have more reasons. The times count, not the word.
  return { reason: unavailableReasons.find((known) => known === reason) ?? 'internal', at, holdsUntil }
}

function readLimited(value: unknown): SessionRecord['limited'] {
  if (!isFields(value)) return undefined
  const { user, entered, maxSessions, unique } = value as Record<keyof Limited, unknown>
  if (typeof user !== 'string' || !isNumber(entered)) return undefined
  return {
    user,
    entered,
    ...(typeof maxSessions === 'string' && { maxSessions }),
    ...(typeof unique === 'string' && { unique }),
  }
}

function readFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether it is a plain object, whatever is in it. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

/** Those that are there. */
function pickTexts<Name extends string>(
  fields: Fields,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  return pick(
    fields,
    names.filter((name) => typeof fields[name] === 'string'),
  )
}

function pick<Name extends string>(fields: Fields, names: readonly Name[]): Record<Name, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name]])) as Record<Name, unknown>
}
