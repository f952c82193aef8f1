import type { Session } from '../session/session.ts'
import type { Kept } from './kept.ts'
import type { KnownSessions } from './known-sessions.ts'
import type { Recall, RecallOptions } from './recall.ts'
import type { WriteBehind } from './write-behind.ts'

interface DueNowOptions extends Pick<RecallOptions, 'sessionsOf'> {
  readonly known: Pick<KnownSessions, 'changed'>
  readonly recalling: Pick<Recall, 'keptOf' | 'forgetOne'>
  readonly written: Pick<WriteBehind, 'changed'>
  readonly isFree: (kept: Pick<Kept, 'session' | 'number'>) => boolean
  readonly clock: () => number
}

/** All sessions of a viewer with the credential that a backend has just denied are asked about next time. */
export function createDueNow(options: DueNowOptions): (denied: Session) => Promise<void> {
  const { known, recalling, written, isFree, clock, sessionsOf } = options
  return async (denied) => {
    const isSame = ({ query, pathCredential }: Session): boolean =>
      query === denied.query && pathCredential === denied.pathCredential
    for (const session of [...(sessionsOf?.(denied.viewer) ?? [])].filter(isSame)) {
      session.dueAt = Math.min(session.dueAt, clock())
      known.changed(session)
    }
    for (const kept of (await recalling.keptOf(denied.viewer)) ?? []) {
      if (!isSame(kept.session) || kept.session.id === denied.id || !isFree(kept)) continue
      kept.session.dueAt = Math.min(kept.session.dueAt, clock())
      recalling.forgetOne(kept.session.id)
      written.changed(kept)
    }
  }
}
