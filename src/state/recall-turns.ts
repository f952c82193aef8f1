import { isIPv6 } from 'node:net'
import { createClientOf, usualPrefixes } from '../address.ts'
import { clientIn } from '../session/identity.ts'

/**
 * Each client address has its share of the recalls under way: bad tokens of one client, each with another
 * User-Agent, are each a viewer of their own, and would else be a crowd before the store.
 */
export interface RecallTurns {
  /** Calls `act` when it is the turn of the viewer's address. */
  take<Result>(viewer: string, act: () => Promise<Result>): Promise<Result>
}

/** Recalls under way for one address at most. Each takes the store less than a millisecond. */
const AT_ONCE = 32

interface Share {
  underWay: number
  readonly waiting: (() => void)[]
}

export function createRecallTurns(): RecallTurns {
  const clientOf = createClientOf(usualPrefixes)
  const shares = new Map<string, Share>()
  return {
    async take(viewer, act) {
      const named = clientIn(viewer)
      // With VIEWER_IPV6_PREFIX=128 one client may have all addresses of a /64.
      const client = isIPv6(named) ? clientOf(named) : named
      const share = shares.get(client) ?? { underWay: 0, waiting: [] }
      shares.set(client, share)
      if (share.underWay >= AT_ONCE) await new Promise<void>((resolve) => void share.waiting.push(resolve))
      else share.underWay++
      try {
        return await act()
      } finally {
        const next = share.waiting.shift()
        if (next !== undefined) next()
        else if (--share.underWay === 0) shares.delete(client)
      }
    },
  }
}
