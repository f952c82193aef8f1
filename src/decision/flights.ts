export interface Flights<Result> {
  /** Joins the flight of this key, or starts one. */
  together(key: string, start: () => Promise<Result>): Promise<Result>
}

/**
 * Single-flight: simultaneous questions with one key are one question. Each question keeps its own deadline, and a follower came later
 * than its leader: so no follower waits past the follower's deadline.
 */
export function createFlights<Result>(): Flights<Result> {
  const flying = new Map<string, Promise<Result>>()
  return {
    together(key, start) {
      const joined = flying.get(key)
      if (joined !== undefined) return joined
      const flight = start().finally(() => flying.delete(key))
      flying.set(key, flight)
      return flight
    },
  }
}
