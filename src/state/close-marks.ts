import type { ClosedFilter, CloseMark } from './close-mark.ts'

/** What a mark is compared with. */
export interface Closable {
  readonly id: string
  readonly channel: string
  readonly address: string
  readonly user: string
  /** Milliseconds of store time. */
  readonly openedAt: number
}

/** The closings that still count, the latest for each filter. */
export interface CloseMarks {
  add(mark: CloseMark): void
  /** Whether the operator has closed it. */
  has(session: Closable): boolean
  /** Forgets what has expired. `now` is store time. */
  prune(now: number): void
  all(): Iterable<CloseMark>
}

/** Every combination of the three texts: a session looks its filters up, however many marks there are. */
const combinations = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
  channel: (bits & 1) > 0,
  address: (bits & 2) > 0,
  user: (bits & 4) > 0,
}))

export function createCloseMarks(): CloseMarks {
  const marks = new Map<string, CloseMark>()
  return {
    add(mark) {
      const key = keyOf(mark.filter)
      const known = marks.get(key)
      if (known === undefined || known.at < mark.at) marks.set(key, mark)
    },
    has({ id, channel, address, user, openedAt }) {
      if (marks.size === 0) return false
      const covers = (filter: ClosedFilter): boolean => {
        const mark = marks.get(keyOf(filter))
        return mark !== undefined && openedAt <= mark.at
      }
      if (covers({ id })) return true
      return combinations.some((by) =>
        covers({
          ...(by.channel && { channel }),
          ...(by.address && { address }),
          ...(by.user && { user }),
        }),
      )
    },
    prune(now) {
      for (const [key, { until }] of marks) if (until <= now) marks.delete(key)
    },
    all: () => marks.values(),
  }
}

function keyOf({ id, channel, address, user }: ClosedFilter): string {
  return JSON.stringify([id, channel, address, user])
}
