import type { Kept } from './kept.ts'

type Named = Pick<Kept['session'], 'id' | 'viewer'>

/** Sessions that have changed and are not written yet. */
interface Changes {
  add(kept: Kept): void
  delete(session: Named): void
  has(id: string): boolean
  get(session: Named): Kept | undefined
  /** The next that are to be written, `most` at most. They are known until `written`. */
  take(most: number): readonly Kept[]
  /** It is written, unless it has changed again meanwhile. */
  written(session: Named): void
  /** Silent sessions of a viewer. */
  silentOf(viewer: string): Iterable<Kept>
  size(): number
}

/** Most bytes of silent sessions that wait. They are in no table, so nothing else bounds them. */
const MOST_SILENT = 64 * 1_048_576

export function createChanges(): Changes {
  const changes = new Map<string, Kept>()
  /** The silent ones of them, and of the batch that is being written: by viewer, then by id. */
  const silent = new Map<string, Map<string, Kept>>()
  let silentBytes = 0

  const forgetSilent = ({ id, viewer }: Named): void => {
    const others = silent.get(viewer)
    const known = others?.get(id)
    if (others === undefined || known === undefined) return
    silentBytes -= known.session.bytes
    others.delete(id)
    if (others.size === 0) silent.delete(viewer)
  }

  return {
    add(kept) {
      const { id, viewer, bytes } = kept.session
      changes.set(id, kept)
      forgetSilent(kept.session)
      if (!kept.silent) return
      const others = silent.get(viewer) ?? new Map<string, Kept>()
      silent.set(viewer, others.set(id, kept))
      silentBytes += bytes
      for (const [, oldest] of silent) {
        if (silentBytes <= MOST_SILENT) break
        for (const { session } of [...oldest.values()]) {
          changes.delete(session.id)
          forgetSilent(session)
        }
      }
    },
    delete(session) {
      changes.delete(session.id)
      forgetSilent(session)
    },
    has: (id) => changes.has(id),
    get: ({ id, viewer }) => changes.get(id) ?? silent.get(viewer)?.get(id),
    take(most) {
      const batch: Kept[] = []
      for (const kept of changes.values()) if (batch.push(kept) === most) break
      // What changes while it is written is written again.
      for (const { session } of batch) changes.delete(session.id)
      return batch
    },
    written(session) {
      if (!changes.has(session.id)) forgetSilent(session)
    },
    silentOf: (viewer) => silent.get(viewer)?.values() ?? [],
    size: () => changes.size,
  }
}
