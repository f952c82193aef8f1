/** What questions of other networks have met lately: whether a failure is the backend's, or of the question that met it. */
export interface Witnesses {
  /** What a question of this network has come to. */
  note(network: string, answered: boolean): void
  /** How many other networks were answered last, and how many failed last. */
  others(network: string): { readonly answered: number; readonly failed: number }
}

/** Milliseconds. */
const LATELY = 10_000
/** Of so many networks the last word is known. */
const MAX_NETWORKS = 64

/** @param clock monotonic milliseconds */
export function createWitnesses(clock: () => number): Witnesses {
  /** The one heard of last stands last. */
  const words = new Map<string, { readonly at: number; readonly answered: boolean }>()
  return {
    note(network, answered) {
      words.delete(network)
      words.set(network, { at: clock(), answered })
      const [oldest] = words.keys()
      if (words.size > MAX_NETWORKS && oldest !== undefined) words.delete(oldest)
    },
    others(network) {
      const since = clock() - LATELY
      let answered = 0
      let failed = 0
      for (const [other, word] of words) {
        if (other === network || word.at < since) continue
        if (word.answered) answered++
        else failed++
      }
      return { answered, failed }
    },
  }
}
