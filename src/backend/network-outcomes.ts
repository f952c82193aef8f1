/** The last outcome of each client network: whose failure it is. */
export interface NetworkOutcomes {
  /** Whether a question of this network was answered. */
  note(network: string, isAnswered: boolean): void
  /** Whether, in the last ten seconds, more of the other networks were answered last than failed last. */
  mostAreAnswered(network: string): boolean
}

/** How long an outcome counts, in milliseconds, and of how many networks, the latest. */
const WINDOW = 10_000
const MAX_NETWORKS = 64

/** @param clock monotonic milliseconds */
export function createNetworkOutcomes(clock: () => number): NetworkOutcomes {
  /** The most recent one is last. */
  const outcomes = new Map<string, { readonly at: number; readonly isAnswered: boolean }>()
  return {
    note(network, isAnswered) {
      outcomes.delete(network)
      outcomes.set(network, { at: clock(), isAnswered })
      const [oldest] = outcomes.keys()
      if (outcomes.size > MAX_NETWORKS && oldest !== undefined) outcomes.delete(oldest)
    },
    mostAreAnswered(network) {
      let balance = 0
      for (const [other, { at, isAnswered }] of outcomes)
        if (other !== network && clock() - at < WINDOW) balance += isAnswered ? 1 : -1
      return balance > 0
    },
  }
}
