import type { Lane } from '../lane.ts'

/**
 * Work in groups: what comes while the lane is busy waits, and goes together as one. All of a group share its
 * result or its error.
 */
export function createGroups<Item, Result>(
  lane: Lane,
  work: (items: readonly Item[]) => Promise<Result>,
): (item: Item) => Promise<Result> {
  let waiting: { readonly items: Item[]; readonly result: Promise<Result> } | undefined
  return (item) => {
    if (waiting === undefined) {
      const items: Item[] = []
      const result = lane(() => {
        waiting = undefined
        return work(items)
      })
      waiting = { items, result }
    }
    waiting.items.push(item)
    return waiting.result
  }
}
