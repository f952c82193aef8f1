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
  const fields: Readonly<Record<string, unknown>> = isRecord(value) ? value : {}
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
      return Array.isArray(found) ? found.filter(isRecord) : []
    },
    record(name) {
      const found = field(name)
      return isRecord(found) ? found : undefined
    },
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
