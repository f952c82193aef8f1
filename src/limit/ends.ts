import { withHold } from './holds.ts'
import type { Hold, Mark, User } from './user.ts'

/** What one change has ended for good, to be told where it is not known yet. */
export interface Ends {
  readonly marks: readonly Mark[]
  readonly holds: readonly Hold[]
}

/**
 * What a change has displaced and held; undefined where that is nothing.
 * @param isOwn whether the caller may end this session
 */
export function endsBetween(before: User, after: User, isOwn: (id: string) => boolean): Ends | undefined {
  const known = new Set<Mark | Hold>([...before.marks, ...before.holds])
  const marks = after.marks.filter((mark) => !known.has(mark) && isOwn(mark.id))
  const holds = after.holds.filter((hold) => !known.has(hold))
  return marks.length + holds.length === 0 ? undefined : { marks, holds }
}

/** The user after these ends, whatever has become of them meanwhile. */
export function withEnds(user: User, { marks, holds }: Ends): User {
  const ids = new Set(marks.map(({ id }) => id))
  const told = {
    ...user,
    entries: user.entries.filter(({ id }) => !ids.has(id)),
    marks: [...user.marks.filter(({ id }) => !ids.has(id)), ...marks],
  }
  return holds.reduce(withHold, told)
}
