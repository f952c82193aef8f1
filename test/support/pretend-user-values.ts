import { setImmediate } from 'node:timers/promises'
import { StoreError } from '../../src/state/store-engine.ts'
import type { UserText, UserTexts } from '../../src/state/user-texts.ts'
import { createChance } from './create-chance.ts'

/** The plays of users in a store in memory, which several gates share. */
export interface PretendUserValues {
  /** The same values as one more gate reaches them. */
  connect(): PretendConnection
  /** The store starts anew, and empty. */
  forget(): void
  /** What is there now. */
  text(user: string): string | undefined
  /** Another release, or somebody else, has written this. */
  plant(user: string, text: string): void
  /** Resolves when no command is under way. */
  quiet(): Promise<void>
  /** Texts that were put in place. */
  written(): number
}

export interface PretendConnection extends UserTexts {
  /** Whether this gate reaches the store. What is under way when it is cut off fails. */
  reaches(isReached: boolean): void
  /** So many of the next replacements are done, but this gate does not hear of it. */
  loseAnswers(count: number): void
}

/** How many turns of the event loop a command may take each way. */
const MOST_TURNS = 3

/**
 * @param clock milliseconds of the store
 * @param onWritten who has put a text in place, at that moment
 */
export function createPretendUserValues(
  seed: number,
  clock: () => number,
  onWritten: (by: UserTexts, text: string) => void = () => {},
  isShared = true,
): PretendUserValues {
  const chance = createChance(seed)
  const kept = new Map<string, UserText & { readonly until: number }>()
  let version = 0
  let underWay = 0
  let written = 0

  const find = (user: string): UserText | undefined => {
    const known = kept.get(user)
    if (known !== undefined && known.until <= clock()) kept.delete(user)
    const there = kept.get(user)
    return there && { text: there.text, version: there.version }
  }
  const put = (user: string, text: string, until: number): UserText => {
    const value = { text, version: Buffer.from(`${++version}`) }
    kept.set(user, { ...value, until })
    return value
  }
  const someTurns = async (): Promise<void> => {
    const turns = 1 + Math.floor(chance() * MOST_TURNS)
    for (let turn = 0; turn < turns; turn++) await setImmediate()
  }

  const connect = (): PretendConnection => {
    let isReached = true
    let cuts = 0
    let lost = 0

    const call = async <Result>(act: () => Result): Promise<Result> => {
      const began = cuts
      const check = (): void => {
        if (!isReached || cuts !== began) throw new StoreError('timeout', 'pretended: it does not answer')
      }
      underWay++
      try {
        check()
        await someTurns()
        check()
        const result = act()
        await someTurns()
        check()
        return result
      } finally {
        underWay--
      }
    }

    const connection: PretendConnection = {
      isUsable: () => isReached,
      read: (user) => call(() => find(user)),
      isShared,
      now: clock,
      async write(user, text, before, keepFor) {
        let isLost = false
        const value = await call(() => {
          const now = find(user)
          const isSame =
            before === undefined ? now === undefined : now?.version.equals(before.version) === true
          if (!isSame) return undefined
          const kept = put(user, text, clock() + keepFor)
          written++
          onWritten(connection, text)
          if (lost > 0) {
            lost--
            isLost = true
          }
          return kept
        })
        if (isLost) throw new StoreError('timeout', 'pretended: the answer is lost')
        return value
      },
      reaches(next) {
        if (isReached && !next) cuts++
        isReached = next
      },
      loseAnswers(count) {
        lost = count
      },
    }
    return connection
  }

  return {
    connect,
    forget: () => kept.clear(),
    text: (user) => find(user)?.text,
    plant: (user, text) => void put(user, text, Number.POSITIVE_INFINITY),
    async quiet() {
      do await setImmediate()
      while (underWay > 0)
      // What follows an answer runs in the same turn, and may send the next command.
      await setImmediate()
      if (underWay > 0) await this.quiet()
    },
    written: () => written,
  }
}
