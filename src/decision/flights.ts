/** Questions under way, by key. */
interface Flights<Result> {
  /** The question under way with this key, if there is one. */
  join(key: string): Promise<Result> | undefined
  /** Registers a question; others can join it until it settles. */
  start(key: string, flight: Promise<Result>): Promise<Result>
}

/**
 * Single-flight: simultaneous questions with the same key are asked once. A follower arrives after the leader
 * and takes the leader's result, so it never waits longer than one question may take.
 */
export function createFlights<Result>(): Flights<Result> {
  const flying = new Map<string, Promise<Result>>()
  return {
    join: (key) => flying.get(key),
    start(key, flight) {
      const land = (): void => void flying.delete(key)
      flying.set(key, flight)
      // Not `finally`, which makes three more promises.
      void flight.then(land, land)
      return flight
    },
  }
}
