import type { SessionEnd } from '../session/session.ts'
import type { Kept } from './kept.ts'

/** Sessions that have left the table, and whose end a store that gates share has not settled yet. */
export interface Endings {
  /**
   * Resolves with how a session has ended, when `settle` was called: `moved` where another gate goes on with
   * it, or has told its end. After a while it counts as this gate's.
   */
  add(kept: Kept, why: SessionEnd): Promise<SessionEnd>
  /** The store has said whose the end is. */
  settle(id: string, whose: 'ours' | 'moved'): void
  get(id: string): Kept | undefined
  /** Resolves when the ends of this viewer's sessions are settled; undefined where there are none. */
  of(viewer: string): Promise<unknown> | undefined
}

interface Ending {
  readonly kept: Kept
  readonly settle: (whose: 'ours' | 'moved') => void
  readonly settled: Promise<SessionEnd>
}

/** How long an end waits for the store, in milliseconds. */
const WAITS = 3_000

/** @param after as `setTimeout`; the result cancels it */
export function createEndings(after: (milliseconds: number, act: () => void) => () => void): Endings {
  const endings = new Map<string, Ending>()
  return {
    add(kept, why) {
      const { id } = kept.session
      let settle: Ending['settle'] = () => {}
      const settled = new Promise<SessionEnd>((resolve) => {
        const cancel = after(WAITS, () => resolve(why))
        settle = (whose) => {
          cancel()
          resolve(whose === 'moved' ? 'moved' : why)
        }
      })
      const ending = { kept, settle, settled }
      endings.set(id, ending)
      // Whoever waits for it is told before its standing is forgotten.
      void settled.then(() =>
        queueMicrotask(() => {
          if (endings.get(id) === ending) endings.delete(id)
        }),
      )
      return settled
    },
    settle: (id, whose) => endings.get(id)?.settle(whose),
    get: (id) => endings.get(id)?.kept,
    of(viewer) {
      if (endings.size === 0) return undefined
      const own = [...endings.values()].filter(({ kept }) => kept.session.viewer === viewer)
      return own.length === 0 ? undefined : Promise.all(own.map(({ settled }) => settled))
    },
  }
}
