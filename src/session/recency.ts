import type { Session } from './session.ts'

/**
 * Sessions in the order in which they were last heard of, as a list through the sessions themselves: a cache beside them would cost a
 * second index entry for each, and a look-up for each touch.
 */
export interface Recency {
  /** Puts a session in front, whether it is in the list or not. */
  touch(session: Session): void
  remove(session: Session): void
  /** The one that was silent longest. */
  last(): Session | undefined
  /** From the one in front to the last. */
  all(): Iterable<Session>
}

export function createRecency(): Recency {
  let first: Session | undefined
  let last: Session | undefined

  const remove = (session: Session): void => {
    const { heardBefore, heardAfter } = session
    if (heardAfter !== undefined) heardAfter.heardBefore = heardBefore
    else if (first === session) first = heardBefore
    if (heardBefore !== undefined) heardBefore.heardAfter = heardAfter
    else if (last === session) last = heardAfter
    session.heardBefore = undefined
    session.heardAfter = undefined
  }

  return {
    touch(session) {
      if (first === session) return
      remove(session)
      session.heardBefore = first
      if (first !== undefined) first.heardAfter = session
      first = session
      last ??= session
    },
    remove,
    last: () => last,
    *all() {
      for (let at = first; at !== undefined; at = at.heardBefore) yield at
    },
  }
}
