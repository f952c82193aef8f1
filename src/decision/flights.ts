export interface Flights<Result> {
  /** The flight of this key, if one is on its way. */
  join(key: string): Promise<Result> | undefined
  /** Lets others join until it has landed. */
  start(key: string, flight: Promise<Result>): Promise<Result>
}

/**
 * Single-flight: simultaneous questions with one key are one question. Each question keeps its own deadline, and a follower came later
 * than its leader: so no follower waits past the follower's deadline.
 */
export function createFlights<Result>(): Flights<Result> {
  const flying = new Map<string, Promise<Result>>()
  return {
    join: (key) => flying.get(key),
    start(key, flight) {
      const landing = flight.finally(() => flying.delete(key))
      flying.set(key, landing)
      return landing
    },
  }
}
