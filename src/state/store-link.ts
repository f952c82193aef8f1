import { type RecordStore, StoreError, type StoreTrouble } from './record-store.ts'
import type { StoreNode } from './shared-store.ts'

/** Whether the store can be used. */
export interface StoreState {
  readonly usable: boolean
  /** Since when, in milliseconds of the monotonic clock. */
  readonly since: number
  /** Why not. */
  readonly trouble?: StoreTrouble
  /** A sentence: what is wrong, and the cure. */
  readonly message?: string
  /** Each server of a store that gates share; undefined for a folder. */
  readonly nodes?: readonly StoreNode[]
  /** The server that has changed, where it is told of a change of a store that gates share. */
  readonly node?: StoreNode
}

/** What a store is asked to do, for metrics. */
export const storeCommands = ['open', 'recall', 'write', 'remove', 'mark', 'slice'] as const
export type StoreCommand = (typeof storeCommands)[number]

export interface StoreLinkOptions {
  readonly store: RecordStore
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** Reads what must be known before the store is used, each time that it was opened. */
  readonly prepare: (store: RecordStore) => Promise<void>
  /** The store can be used, for the first time or again. */
  readonly onOpened: () => void
  /** Called for each change of the state, not for a failure that follows another. */
  readonly onChange: (state: StoreState, lasted: number) => void
  /** A damaged store was set aside and a fresh one begun; the sentence says so. */
  readonly onSetAside: (sentence: string) => void
  /** The store has lost all that it knew; one that gates share may. */
  readonly onForgotten?: (node: string) => void
  /** A command took so many milliseconds. */
  readonly onCommand: (command: StoreCommand, took: number, trouble: StoreTrouble | undefined) => void
}

/** A store that may be away: it is opened again and again, and no failure leaves this file. */
export interface StoreLink {
  /** Opens it. Resolves when it is open, or after so many milliseconds without that. */
  start(patience: number): Promise<void>
  /** Undefined when it failed, or while the store is away. */
  use<Result>(
    command: StoreCommand,
    act: (store: RecordStore) => Promise<Result>,
  ): Promise<Result | undefined>
  /** Whether the part of the store that holds this viewer can be used. */
  isUsable(viewer: string): boolean
  state(): StoreState
  /** Closes it, within `patience` milliseconds. */
  stop(patience: number): Promise<void>
}

/** Milliseconds until the store is opened again: the first time, and at most. */
const FIRST_RETRY = 1_000
const MAX_RETRY = 10_000

export function createStoreLink(options: StoreLinkOptions): StoreLink {
  const { store, clock, after, onChange, onCommand } = options
  let state: StoreState = { usable: false, since: clock() }
  let retryIn = FIRST_RETRY
  let cancelRetry: (() => void) | undefined
  let opening = false
  let stopped = false

  const become = (next: Omit<StoreState, 'since'>): void => {
    const was = state
    // A failure after another one is no change, but its sentence counts.
    const isChange = was.usable !== next.usable || was.message === undefined
    state = { ...next, since: isChange ? clock() : was.since }
    if (isChange && (was.message !== undefined || !next.usable)) onChange(state, clock() - was.since)
  }

  const fail = (error: unknown): StoreTrouble => {
    const { trouble, message } = error instanceof StoreError ? error : new StoreError('failed', String(error))
    // One that fails again soon after it was opened is opened less and less often.
    if (state.usable && clock() - state.since > MAX_RETRY) retryIn = FIRST_RETRY
    if (!stopped) become({ usable: false, trouble, message })
    return trouble
  }

  /** Once, however many commands have failed together. */
  const retryLater = (): void => {
    if (stopped || opening || cancelRetry !== undefined) return
    cancelRetry = after(retryIn, () => {
      cancelRetry = undefined
      void open()
    })
    retryIn = Math.min(2 * retryIn, MAX_RETRY)
  }

  const timed = async <Result>(command: StoreCommand, act: () => Promise<Result>): Promise<Result> => {
    const began = clock()
    try {
      const result = await act()
      onCommand(command, clock() - began, undefined)
      return result
    } catch (error) {
      onCommand(command, clock() - began, fail(error))
      throw error
    }
  }

  const open = async (): Promise<void> => {
    opening = true
    const opened = timed('open', async () => {
      // After a timeout it is open, and hung. Whether it still hangs shows a command.
      if (state.trouble !== 'timeout') {
        await store.close()
        const setAside = await store.open()
        if (setAside !== undefined) options.onSetAside(setAside)
      }
      await options.prepare(store)
    })
    const isOpen = await opened.then(
      () => true,
      () => false,
    )
    opening = false
    if (stopped) return
    if (!isOpen) return retryLater()
    become({ usable: true })
    options.onOpened()
  }

  return {
    async start(patience) {
      let stopWaiting = (): void => {}
      const enough = new Promise<void>((resolve) => {
        stopWaiting = after(patience, resolve)
      })
      await Promise.race([open(), enough])
      stopWaiting()
    },
    async use(command, act) {
      if (!state.usable) return undefined
      try {
        return await timed(command, () => act(store))
      } catch {
        retryLater()
        return undefined
      }
    },
    isUsable: () => state.usable,
    state: () => state,
    async stop(patience) {
      stopped = true
      state = { usable: false, since: clock() }
      cancelRetry?.()
      const enough = new Promise<void>((resolve) => {
        after(patience, resolve)
      })
      await Promise.race([store.close(), enough])
    },
  }
}
