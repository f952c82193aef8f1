import { movedBy, nobody, type User } from '../limit/user.ts'

/**
 * A user's state as gates share it: JSON, in the time of the store. A release adds fields only as optional
 * ones, and keeps those of an entry that it does not know, so that two releases may share a user.
 * @param offset milliseconds from the monotonic clock to the time of the store
 */
export function textOfUser(user: User, offset: number): string {
  return JSON.stringify(movedBy(user, offset))
}

/** The state in such a text, by the monotonic clock. What is none is a user of whom nothing is known. */
export function readUserText(text: string, offset: number): User {
  try {
    const read = JSON.parse(text) as Partial<User>
    const user = { ...nobody, ...read }
    const lists = [user.entries, user.marks, user.holds, user.cuts]
    if (!lists.every(Array.isArray) || typeof user.sharedUntil !== 'number') return nobody
    return movedBy(user, -offset)
  } catch {
    return nobody
  }
}
