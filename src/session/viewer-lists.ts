import type { Session } from './session.ts'

/**
 * The sessions of each viewer, as a linked list: a session moves to its front when it is opened and when its
 * own URL is requested. The links are in the sessions themselves.
 */
interface ViewerLists {
  has(viewer: string): boolean
  newest(viewer: string): Session | undefined
  /** The newest first. The lists must not change meanwhile. */
  of(viewer: string): Iterable<Session>
  /** Makes it the first of its viewer's list. It must be in none, or be the first already. */
  putFirst(session: Session): void
  unlink(session: Session): void
  /**
   * Which session has to go, since the viewer has more than `most`. Among equally idle ones it is the newest.
   */
  overflow(viewer: string, most: number): Session | undefined
}

export function createViewerLists(): ViewerLists {
  const newestOf = new Map<string, Session>()
  return {
    has: (viewer) => newestOf.has(viewer),
    newest: (viewer) => newestOf.get(viewer),
    *of(viewer) {
      for (let at = newestOf.get(viewer); at !== undefined; at = at.older) yield at
    },
    putFirst(session) {
      const newest = newestOf.get(session.viewer)
      if (newest === session) return
      session.older = newest
      newestOf.set(session.viewer, session)
    },
    unlink(session) {
      const newest = newestOf.get(session.viewer)
      if (newest === session) {
        if (session.older === undefined) newestOf.delete(session.viewer)
        else newestOf.set(session.viewer, session.older)
        return
      }
      let at = newest
      while (at !== undefined && at.older !== session) at = at.older
      if (at !== undefined) at.older = session.older
    },
    overflow(viewer, most) {
      let held = 1
      let leastRecent = newestOf.get(viewer)?.older
      for (let at = leastRecent; at !== undefined; at = at.older) {
        held++
        if (leastRecent === undefined || at.activeAt < leastRecent.activeAt) leastRecent = at
      }
      return held > most ? leastRecent : undefined
    },
  }
}
