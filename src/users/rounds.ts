import type { KnownUser, UserTable } from './user-table.ts'

export interface RoundsOptions {
  readonly users: Pick<UserTable, 'all' | 'count'>
  /** Users who may have too many plays. */
  readonly crowded: ReadonlySet<KnownUser>
  /** Milliseconds in which all crowded users are looked at once. */
  readonly report: number
  /** The same for all others. */
  readonly every: number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  readonly look: (known: KnownUser) => void
}

/** Milliseconds between two turns. Each is short, so that requests are answered in between. */
const TURN = 100

/** Looks at all users again and again, a few in each turn. The result stops it. */
export function startRounds({ users, crowded, report, every, after, look }: RoundsOptions): () => void {
  const lookAtCrowded = createWalk(
    () => crowded.values(),
    () => crowded.size,
    TURN / report,
    look,
  )
  const lookAtOther = (known: KnownUser): void => {
    if (!crowded.has(known)) look(known)
  }
  const lookAtAll = createWalk(users.all, users.count, TURN / every, lookAtOther)
  let cancel = (): void => {}
  const turn = (): void => {
    cancel = after(TURN, turn)
    lookAtCrowded()
    lookAtAll()
  }
  cancel = after(TURN, turn)
  return () => cancel()
}

/**
 * Visits this part of all items at each call, and begins again after the last. Items that go meanwhile do not
 * make the others wait for longer.
 */
function createWalk<Item>(
  all: () => Iterable<Item>,
  count: () => number,
  part: number,
  visit: (item: Item) => void,
): () => void {
  let walk: Iterator<Item> | undefined
  /** The most that there were in this round. */
  let most = 0
  let owed = 0
  const begin = (): Iterator<Item> => {
    most = count()
    return all()[Symbol.iterator]()
  }
  return () => {
    most = Math.max(most, count())
    for (owed += most * part; owed >= 1; owed--) {
      walk ??= begin()
      let next = walk.next()
      if (next.done === true) {
        walk = begin()
        next = walk.next()
      }
      if (next.done === true) {
        owed = 0
        return
      }
      visit(next.value)
    }
  }
}
