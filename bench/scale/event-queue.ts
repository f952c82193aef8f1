/** What will happen, the earliest first. */
export interface EventQueue {
  /** Calls `act` at this time. */
  at(time: number, act: (now: number) => void): void
  /** Lets all happen that is due until then, in order. */
  runUntil(time: number): void
}

interface Event {
  readonly time: number
  readonly act: (now: number) => void
}

/** A binary heap: there are as many events under way as sessions. */
export function createEventQueue(): EventQueue {
  const heap: Event[] = []
  const timeAt = (at: number): number => heap[at]?.time ?? Number.POSITIVE_INFINITY
  const swap = (one: number, other: number): void => {
    const event = heap[one] as Event
    heap[one] = heap[other] as Event
    heap[other] = event
  }
  const take = (): Event => {
    const first = heap[0] as Event
    const last = heap.pop() as Event
    if (heap.length > 0) heap[0] = last
    for (let at = 0; ; ) {
      const child = timeAt(2 * at + 1) <= timeAt(2 * at + 2) ? 2 * at + 1 : 2 * at + 2
      if (timeAt(child) >= timeAt(at)) return first
      swap(at, child)
      at = child
    }
  }
  return {
    at(time, act) {
      heap.push({ time, act })
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1
        if (timeAt(parent) <= timeAt(at)) break
        swap(at, parent)
        at = parent
      }
    },
    runUntil(time) {
      while (timeAt(0) <= time) {
        const { time: now, act } = take()
        act(now)
      }
    },
  }
}
