/** The names of all keys. What is between the braces decides the server of a cluster. */
export interface ValkeyKeys {
  /** The records of a viewer, by their place of record-format.ts. */
  records(place: string): string
  /** The place of a key of records; undefined when it is none. */
  placeOf(key: string): string | undefined
  /** All keys of records, as SCAN matches them. */
  readonly allRecords: string
  user(name: string): string
  readonly marks: string
  readonly messages: string
  readonly gates: string
  readonly sweep: string
  /** The answers to a question of one gate to all. */
  replies(ask: string): string
  beat(tag: string, gate: string): readonly [gate: string, epoch: string]
}

/** The format of all that is kept; records have one of their own behind it. */
const FORMAT = '1:'

export function createKeys(prefix: string): ValkeyKeys {
  const start = prefix + FORMAT
  const records = `${start}v{`
  return {
    records: (place) => `${records}${place}}`,
    placeOf: (key) =>
      key.startsWith(records) && key.endsWith('}') ? key.slice(records.length, -1) : undefined,
    allRecords: `${records.replaceAll(/[\\*?[\]]/g, '\\$&')}*`,
    user: (name) => `${start}u{${name}}`,
    marks: `${start}{marks}`,
    messages: `${start}{messages}`,
    gates: `${start}{gates}`,
    sweep: `${start}{sweep}`,
    replies: (ask) => `${start}re{${ask}}`,
    beat: (tag, gate) => [`${start}g{${tag}}${gate}`, `${start}epoch{${tag}}`],
  }
}
