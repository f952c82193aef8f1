import { LRUCache } from 'lru-cache'

/** A user who was refused or displaced because others played under their name. */
export interface RefusedUser {
  readonly user: string
  /** Times that a request was refused. */
  readonly refused: number
  /** Times that a play was ended. */
  readonly displaced: number
  /** Milliseconds of the monotonic clock. */
  readonly last: number
}

/** Users who are refused again and again: a list for the operator. */
export interface RefusedUsers {
  note(user: string, what: 'refused' | 'displaced', now: number): void
  /** Those of the last hour, the most refused first. */
  list(now: number, most: number): readonly RefusedUser[]
}

const MOST_USERS = 1_000
const HOUR = 3_600_000

export function createRefusedUsers(): RefusedUsers {
  const users = new LRUCache<string, RefusedUser>({ max: MOST_USERS })
  return {
    note(user, what, now) {
      const known = users.get(user)
      const before = known === undefined || now - known.last > HOUR ? { refused: 0, displaced: 0 } : known
      users.set(user, { ...before, user, [what]: before[what] + 1, last: now })
    },
    list(now, most) {
      return [...users.values()]
        .filter(({ last }) => now - last <= HOUR)
        .sort((a, b) => b.refused + b.displaced - a.refused - a.displaced || b.last - a.last)
        .slice(0, most)
    },
  }
}
