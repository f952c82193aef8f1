import { type Entry, type Hold, type Mark, movedBy, nobody, type User } from '../limit/user.ts'

/**
 * A user's state as gates share it: JSON, in the time of the store. A release adds fields only as optional
 * ones, and keeps those of an entry that it does not know, so that two releases may share a user.
 * @param offset milliseconds from the monotonic clock to the time of the store
 */
export function textOfUser(user: User, offset: number): string {
  return JSON.stringify(movedBy(user, offset))
}

/**
 * The state in such a text, by the monotonic clock. What is none is a user of whom nothing is known, and what
 * no rule could read is left out.
 */
export function readUserText(text: string, offset: number): User {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return nobody
  }
  if (!isObject(read) || Array.isArray(read)) return nobody
  const listOf = <Item>(name: string, isItem: (item: Fields) => boolean): readonly Item[] => {
    const list = read[name]
    return Array.isArray(list) ? list.filter((item) => isObject(item) && isItem(item)) : []
  }
  const { sharedUntil, terms, ...more } = read
  const user: User = {
    ...nobody,
    ...more,
    entries: listOf<Entry>('entries', isEntry),
    marks: listOf<Mark>('marks', isMark),
    holds: listOf<Hold>('holds', isHold),
    cuts: listOf<User['cuts'][number]>('cuts', isCut),
    sharedUntil: isNumber(sharedUntil) ? sharedUntil : 0,
    terms: isObject(terms) && isTerms(terms) ? (terms as unknown as NonNullable<User['terms']>) : undefined,
  }
  return movedBy(user, -offset)
}

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const isNumber = (value: unknown): value is number => Number.isFinite(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const areNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(isNumber)

function isEntry({ id, viewer, address, player, playback, credential, place, ...more }: Fields): boolean {
  const { entered, seen, looked, visits } = more
  const texts = [id, viewer, address, player, playback, credential, place]
  return texts.every(isText) && [entered, seen, looked].every(isNumber) && areNumbers(visits)
}

function isMark({ id, why, at, until, by }: Fields): boolean {
  return [id, why, by].every(isText) && isNumber(at) && isNumber(until)
}

function isHold({ address, player, credential, place, urlUntil, comeBackUntil, ...more }: Fields): boolean {
  const { times, visits } = more
  const areTimes = [urlUntil, comeBackUntil].every(isNumber) && areNumbers(times) && areNumbers(visits)
  return [address, player, credential, place].every(isText) && areTimes
}

function isCut({ address, at }: Fields): boolean {
  return isText(address) && isNumber(at)
}

function isTerms({ max, policy }: Fields): boolean {
  return isNumber(max) && max >= 1 && (policy === 'newest' || policy === 'refuse')
}
