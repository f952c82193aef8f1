import { type Cause, causes, type Entry, nobody, type Out, type User } from './user.ts'

/** Characters of a text; what was silent longest stays out of a longer one. */
const LONGEST = 60_000

/**
 * A user as a store keeps them: JSON in the time of the store, rows in place of objects. A later release adds
 * only to the end of a row, and passes over what it does not know.
 */
export function textOfUser({ terms, entries, outs }: User): string {
  const rows: string[] = []
  let length = 0
  for (const entry of entries.toSorted((a, b) => b.seen - a.seen)) {
    const row = JSON.stringify(rowOf(entry))
    length += row.length + 1
    if (length > LONGEST) break
    rows.push(row)
  }
  const held = outs.map(({ address, player, place, cause, id, by, at, until }) => {
    return [address, player, place, causes.indexOf(cause), id, by, at, until]
  })
  const told = terms === undefined ? 'null' : JSON.stringify([terms.max, terms.policy])
  return `{"terms":${told},"sessions":[${rows.join()}],"outs":${JSON.stringify(held)}}`
}

/** The texts at the beginning of a row. Its person is the viewer where it is empty. */
const texts = [
  ...(['id', 'viewer', 'address', 'person', 'player', 'playback', 'cookie', 'credential', 'place'] as const),
]

function rowOf(entry: Entry): unknown[] {
  const { viewer, person, since, seen, once, gate, unseen, told } = entry
  const shared = { ...entry, person: person === viewer ? '' : person }
  // In whole seconds: who goes on does not change the text all the time.
  const heard = Math.ceil(seen / 1_000) * 1_000
  return [...texts.map((name) => shared[name]), since, heard, once ? 1 : 0, gate, unseen, told ? 1 : 0]
}

/**
 * The user in such a text, or in one of the release before. What is none is a user of whom nothing is known,
 * and what no rule could read is left out.
 * @param now the store's time: what lies behind it was written by a clock that has been set back since
 */
export function readUserText(text: string, now: number): User {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return nobody
  }
  const { terms, sessions, outs, entries, holds } = (read ?? {}) as Record<string, unknown>
  const [max, policy] = Array.isArray(terms) ? terms : [fieldOf(terms, 'max'), fieldOf(terms, 'policy')]
  const isTerms = isNumber(max) && max >= 1 && (policy === 'newest' || policy === 'refuse')
  return {
    terms: isTerms ? { max, policy } : undefined,
    entries: listOf(sessions ?? entries).flatMap((row) =>
      entryOf(Array.isArray(row) ? row : formerRow(row), now),
    ),
    outs: listOf(outs ?? holds).flatMap((row) => outOf(Array.isArray(row) ? row : formerHold(row, now), now)),
  }
}

function entryOf(row: readonly unknown[], now: number): Entry[] {
  const [since, seen, once, gate = '', unseen = 0, told] = row.slice(texts.length)
  const read = Object.fromEntries(texts.map((name, at) => [name, row[at]]))
  if (![...Object.values(read), gate].every(isText) || ![since, seen, unseen].every(isNumber)) return []
  const last = Math.min(seen as number, now)
  const entry = { ...read, gate, unseen, once: once === 1, told: told === 1 } as Entry
  const person = entry.person || entry.viewer
  return [{ ...entry, person, since: Math.min(since as number, last), seen: last }]
}

/** The longest time for which somebody stays out; milliseconds. */
const LONGEST_OUT = 120_000

function outOf(row: readonly unknown[], now: number): Out[] {
  const [address, player, place, cause, id, by, at, until] = row
  if (![address, player, place, id, by].every(isText) || ![cause, at, until].every(isNumber)) return []
  const times = { at: Math.min(at as number, now), until: Math.min(until as number, now + LONGEST_OUT) }
  return [
    { ...({ address, player, place, id, by } as Out), cause: causes[cause as number] ?? 'other', ...times },
  ]
}

/** A session and a hold as 0.2.0 has written them. */
function formerRow(entry: unknown): unknown[] {
  const of = (name: string): unknown => fieldOf(entry, name)
  const head = texts.map((name) => (name === 'person' || name === 'cookie' ? '' : of(name)))
  return [...head, of('entered'), of('seen'), of('once') === true ? 1 : 0]
}

function formerHold(hold: unknown, now: number): unknown[] {
  const of = (name: string): unknown => fieldOf(hold, name)
  const cause = causes.indexOf((of('cause') === 'zap' ? 'beside' : of('cause')) as Cause)
  const at = listOf(of('times')).at(-1) ?? now
  return [of('address'), of('player'), of('place'), cause, '', of('by'), at, of('comeBackUntil')]
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
const isNumber = (value: unknown): value is number => Number.isFinite(value)
const isText = (value: unknown): value is string => typeof value === 'string'
