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
  const lookAtCrowded = createWalk(() => crowded.values(), look)
  const lookAtAll = createWalk(users.all, (known) => {
    if (!crowded.has(known)) look(known)
  })
  let cancel = (): void => {}
  const turn = (): void => {
    cancel = after(TURN, turn)
    lookAtCrowded((crowded.size * TURN) / report)
    lookAtAll((users.count() * TURN) / every)
  }
  cancel = after(TURN, turn)
  return () => cancel()
}

/** Visits so many more items at each call, on average, and begins again after the last. */
function createWalk<Item>(all: () => Iterable<Item>, visit: (item: Item) => void): (more: number) => void {
  let walk: Iterator<Item> | undefined
  let owed = 0
  return (more) => {
    for (owed += more; owed >= 1; owed--) {
      walk ??= all()[Symbol.iterator]()
      let next = walk.next()
      if (next.done === true) {
        walk = all()[Symbol.iterator]()
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
