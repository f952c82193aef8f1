import type { Keys } from '../keys.ts'
import type { FolderStore } from './folder-store.ts'
import { untilOf, unwrap } from './folder-values.ts'
import { createViewerList } from './viewer-list.ts'

interface FolderRoomOptions {
  readonly store: Pick<FolderStore, 'measure' | 'read' | 'put' | 'compact' | 'now' | 'change'>
  readonly keys: Keys
  /** STATE_MAX in bytes. */
  readonly max: number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** Removes sessions of a viewer. */
  readonly drop: (viewer: string, ids: readonly string[]) => Promise<void>
}

/** Holds STATE_MAX while it is written, and removes what is over. */
interface FolderRoom {
  /** So many bytes were written. */
  wrote(bytes: number): void
  /** Nothing new fits. */
  isFull(): boolean
  /** Bytes on the disk. */
  bytes(): number
  /** Starts to look from time to time; the result stops it. */
  start(): () => void
}

/** Parts of STATE_MAX: beyond the first it is looked what may go, beyond the last nothing new is written. */
const PARTS = { look: 0.7, keep: 0.5, full: 0.9 }
/** Milliseconds between two looks for what is over, between two that find no room, and two slices. */
const LOOK_EVERY = 300_000
const LOOK_SOON = 2_000
const SLICE_EVERY = 20
const SLICE = 250
/** Removed records still take their room until LevelDB is told; so much more than is kept may be there. */
const WASTE = 1.3

export function createFolderRoom({ store, keys, max, after, drop }: FolderRoomOptions): FolderRoom {
  let measured = 0
  let written = 0
  let isLooking = false
  let stopped = true
  let cancel = (): void => {}

  const bytes = (): number => measured + written

  const measure = async (): Promise<void> => {
    const before = written
    measured = await store.measure()
    written -= before
  }

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void after(milliseconds, resolve))

  /** Walks through all. Resolves with what is silent, and the bytes of all that stays. */
  const walk = async (): Promise<{ silent: Silent[]; kept: number }> => {
    const silent: Silent[] = []
    const start = keys.viewer('').slice(0, -1)
    let kept = 0
    for (let from = ''; !stopped; await pause(SLICE_EVERY)) {
      const pairs = await store.read(from, SLICE)
      const over = pairs.filter(([, value]) => (untilOf(value) ?? 0) <= store.now())
      if (over.length > 0)
        await store.change(() =>
          store.put(
            over.map(([key]) => [key, undefined] as const),
            false,
          ),
        )
      for (const [key, value] of pairs) {
        kept += key.length + value.length
        if (!key.startsWith(start) || !key.endsWith('}')) continue
        const list = createViewerList(unwrap(value, store.now()))
        for (const { id, state, at, bytes: size } of list.all())
          if (state !== 'playing') silent.push({ viewer: key.slice(start.length, -1), id, at, size })
      }
      const last = pairs.at(-1)?.[0]
      if (last === undefined) break
      from = `${last}\0`
    }
    return { silent, kept }
  }

  const look = async (): Promise<void> => {
    const { silent, kept } = await walk()
    let surplus = kept > max * PARTS.look ? kept - max * PARTS.keep : 0
    const byViewer = new Map<string, string[]>()
    for (const { viewer, id, size } of silent.sort((a, b) => a.at - b.at)) {
      if (surplus <= 0) break
      surplus -= size
      const ids = byViewer.get(viewer)
      if (ids === undefined) byViewer.set(viewer, [id])
      else ids.push(id)
    }
    for (const [viewer, ids] of byViewer) await drop(viewer, ids)
    await measure()
    if (bytes() > Math.max(kept * WASTE, max * PARTS.look)) {
      await store.compact()
      await measure()
    }
  }

  const lookOnce = (): void => {
    if (isLooking || stopped) return
    isLooking = true
    cancel()
    const done = (): void => {
      isLooking = false
      if (!stopped) cancel = after(bytes() > max * PARTS.look ? LOOK_SOON : LOOK_EVERY, lookOnce)
    }
    // The heartbeat says what is wrong with the store.
    look().then(done, done)
  }

  return {
    wrote(more) {
      const before = bytes()
      written += more
      if (bytes() > max * PARTS.look && before <= max * PARTS.look) lookOnce()
    },
    isFull: () => bytes() > max * PARTS.full,
    bytes,
    start() {
      stopped = false
      measure().then(
        () => (bytes() > max * PARTS.look ? lookOnce() : undefined),
        () => undefined,
      )
      cancel = after(LOOK_EVERY, lookOnce)
      return () => {
        stopped = true
        cancel()
      }
    },
  }
}

interface Silent {
  readonly viewer: string
  readonly id: string
  /** When it changed, by the time of the store. */
  readonly at: number
  readonly size: number
}
