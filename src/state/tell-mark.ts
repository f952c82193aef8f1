import type { StoreClock } from './kept.ts'
import { type CloseMark, isOfUser, KEEP_MARK, type Marks, MOST_WIDE, readWide } from './marks.ts'
import type { StoreEngine } from './store-engine.ts'
import type { Vault } from './vault.ts'

export interface TellMarkOptions {
  readonly keys: StoreEngine['keys']
  readonly vault: Vault
  readonly marks: Marks
  readonly clock: StoreClock
}

/** How often wide marks are tried while other gates write theirs. */
const MOST_TRIES = 16

/** Writes a mark into a store. The wide ones are one value, which all gates change. @throws {StoreError} */
export function createTellMark({ keys, vault, marks, clock }: TellMarkOptions) {
  const markUser = async (engine: StoreEngine, { filter, number }: CloseMark): Promise<void> => {
    const name = vault.user(filter.user ?? '')
    const value = vault.seal(String(number), keys.userMark(name))
    await engine.markUser(name, number, value, KEEP_MARK)
  }

  /** All wide marks that this gate knows, and those that are there. */
  const markWide = async (engine: StoreEngine): Promise<void> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const there = await engine.wide()
      const text = there && vault.open(there.value, keys.wide)
      for (const one of (text && readWide(text)) || []) marks.add(one, one.until - clock.offset)
      const all = marks
        .wide()
        .map((one) => ({ ...one, until: one.until + clock.offset }))
        .slice(-MOST_WIDE)
      const value = vault.seal(JSON.stringify(all), keys.wide)
      if (await engine.replaceWide(there?.version ?? 0, value, KEEP_MARK)) return
    }
  }

  return (engine: StoreEngine, mark: CloseMark): Promise<void> =>
    isOfUser(mark.filter) ? markUser(engine, mark) : markWide(engine)
}
