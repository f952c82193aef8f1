import { isFields } from '../state/read-record.ts'

/**
 * Reads what another gate has sent. It is one of ours, for the store authenticates what it holds, but it may
 * be of another release: what is missing counts as nothing.
 */
export interface ReadReply {
  text(name: string): string | undefined
  number(name: string): number
  flag(name: string): boolean
  /** The plain objects of a list. */
  list(name: string): readonly unknown[]
  record(name: string): unknown
}

export function readReply(value: unknown): ReadReply {
  const fields: Readonly<Record<string, unknown>> = isFields(value) ? value : {}
  const field = (name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
  return {
    text(name) {
      const found = field(name)
      return typeof found === 'string' ? found : undefined
    },
    number(name) {
      const found = field(name)
      return typeof found === 'number' && Number.isFinite(found) ? found : 0
    },
    flag: (name) => field(name) === true,
    list(name) {
      const found = field(name)
      return Array.isArray(found) ? found.filter(isFields) : []
    },
    record(name) {
      const found = field(name)
      return isFields(found) ? found : undefined
    },
  }
}
