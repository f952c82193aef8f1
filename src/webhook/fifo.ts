/** First in, first out. A step costs the same however many items there are. */
interface Fifo<Item> {
  put(item: Item): void
  /** Takes out the first items, at most `count`. */
  take(count: number): Item[]
  size(): number
}

/** The empty places at the front are freed when they are at least this many, and half of all. */
const MIN_EMPTY = 1024

/** Creates an empty queue. It has no bound of its own. */
export function createFifo<Item>(): Fifo<Item> {
  let items: (Item | undefined)[] = []
  let first = 0

  return {
    put: (item) => void items.push(item),
    take(count) {
      const end = Math.min(first + count, items.length)
      const taken = items.slice(first, end) as Item[]
      items.fill(undefined, first, end)
      first = end
      if (first === items.length || (first >= MIN_EMPTY && first * 2 >= items.length)) {
        items = items.slice(first)
        first = 0
      }
      return taken
    },
    size: () => items.length - first,
  }
}
