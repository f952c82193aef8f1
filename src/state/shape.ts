/**
 * Reads what comes from outside: from a store, or from a gate of another release. Undefined where it does not
 * fit. Fields that a shape does not name are left out.
 */
export type Shape<Value> = (given: unknown) => Value | undefined

type Fields = Readonly<Record<string, unknown>>

/** Whether it is a plain object, whatever is in it. */
export function isFields(given: unknown): given is Fields {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

export const text: Shape<string> = (given) => (typeof given === 'string' ? given : undefined)

/** No infinity, and not what is no number. */
export const number: Shape<number> = (given) =>
  typeof given === 'number' && Number.isFinite(given) ? given : undefined

export const flag: Shape<boolean> = (given) => (typeof given === 'boolean' ? given : undefined)

/** What a later release may write in its own way. */
export const anything: Shape<unknown> = (given) => given ?? null

/** One of a closed set of words. */
export function oneOf<Word extends string>(words: readonly Word[]): Shape<Word> {
  return (given) => words.find((word) => word === given)
}

/** A number, or null. */
export const numberOrNull: Shape<number | null> = (given) => (given === null ? null : number(given))

/** All of them fit, `most` at most. */
export function listOf<Value>(shape: Shape<Value>, most: number): Shape<readonly Value[]> {
  return (given) => {
    if (!Array.isArray(given) || given.length > most) return undefined
    const read = given.map(shape)
    return read.includes(undefined) ? undefined : (read as Value[])
  }
}

type Shapes = Readonly<Record<string, Shape<unknown>>>
type Read<All extends Shapes> = {
  readonly [Name in keyof All]: All[Name] extends Shape<infer Value> ? Value : never
}

/** An object with these fields, and perhaps with those: one that is there has to fit, too. */
export function object<Needed extends Shapes, Other extends Shapes = Record<never, never>>(
  needed: Needed,
  other?: Other,
): Shape<Read<Needed> & Partial<Read<Other>>> {
  const fields = [
    ...Object.entries(needed).map(([name, shape]) => ({ name, shape, isNeeded: true })),
    ...Object.entries(other ?? {}).map(([name, shape]) => ({ name, shape, isNeeded: false })),
  ]
  return (given) => {
    if (!isFields(given)) return undefined
    const read: Record<string, unknown> = {}
    for (const { name, shape, isNeeded } of fields) {
      const field = Object.hasOwn(given, name) ? given[name] : undefined
      if (field === undefined && !isNeeded) continue
      const value = shape(field)
      if (value === undefined) return undefined
      read[name] = value
    }
    return read as Read<Needed> & Partial<Read<Other>>
  }
}

/** A text of JSON. */
export function readJson<Value>(json: string, shape: Shape<Value>): Value | undefined {
  try {
    return shape(JSON.parse(json))
  } catch {
    return undefined
  }
}
