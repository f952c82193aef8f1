import { LRUCache } from 'lru-cache'
import { MINUTE } from './user.ts'
import { networkOf } from './viewers.ts'

/** How often requests were refused, and plays ended; when last, in milliseconds of the monotonic clock. */
interface RefusedUser {
  readonly user: string
  readonly refused: number
  readonly displaced: number
  /** They were put out at so many networks within a minute that the name must be shared. */
  readonly isShared: boolean
  readonly last: number
  /** When they were put out last, by network. */
  readonly networks: ReadonlyMap<string, number>
}

const MOST_USERS = 1_000
const HOUR = 60 * MINUTE
/** A user who is put out at more networks within a minute is a shared name. */
const MOST_NETWORKS = 10

/** Users who are refused again and again: a list for the operator. */
export function createRefusedUsers() {
  const users = new LRUCache<string, RefusedUser>({ max: MOST_USERS })
  const knownAs = (user: string, now: number): RefusedUser => {
    const known = users.get(user)
    if (known !== undefined && now - known.last <= HOUR) return { ...known, last: now }
    return { user, refused: 0, displaced: 0, isShared: false, last: now, networks: new Map() }
  }
  return {
    refused(user: string, now: number): void {
      const known = knownAs(user, now)
      users.set(user, { ...known, refused: known.refused + 1 })
    },
    /** Was put out at this address. Returns whether it is known only now that the name is shared. */
    displaced(user: string, address: string, now: number): boolean {
      const known = knownAs(user, now)
      const recent = [...known.networks].filter(([, at]) => now - at < MINUTE).slice(-MOST_NETWORKS)
      const networks = new Map(recent).set(networkOf(address), now)
      const isShared = known.isShared || networks.size > MOST_NETWORKS
      users.set(user, { ...known, displaced: known.displaced + 1, networks, isShared })
      return isShared && !known.isShared
    },
    /** Those of the last hour, the most refused first. */
    list: (now: number, most: number): Omit<RefusedUser, 'networks'>[] =>
      [...users.values()]
        .filter(({ last }) => now - last <= HOUR)
        .sort((a, b) => b.refused + b.displaced - a.refused - a.displaced || b.last - a.last)
        .slice(0, most),
  }
}
