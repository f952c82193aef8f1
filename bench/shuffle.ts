/** A copy in an order that looks random and is the same each time. */
export function shuffle<T>(items: readonly T[]): T[] {
  let state = 1
  return items
    .map((item) => {
      // A linear congruential generator (Numerical Recipes).
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return { item, place: state }
    })
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)
}
