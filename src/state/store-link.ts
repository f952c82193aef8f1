import { createHeartbeat, type HeartbeatOptions } from './heartbeat.ts'
import { BEAT, type RosterEntry, type StoreEngine, StoreError, type StoreTrouble } from './store-engine.ts'

/** Whether the store can be used. */
export interface StoreState {
  readonly usable: boolean
  /** Since when, in milliseconds of the monotonic clock. */
  readonly since: number
  /** Why not; where it can be used: `full`, and it takes no new sessions, or why a part of it cannot. */
  readonly trouble?: StoreTrouble
  /** A sentence: what is wrong, and the cure. */
  readonly message?: string
}

/** What a store is asked to do, for metrics. */
export const storeCommands = ['open', 'beat', 'recall', 'write', 'end', 'mark', 'user', 'tell'] as const
export type StoreCommand = (typeof storeCommands)[number]

export interface StoreLinkOptions extends HeartbeatOptions {
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** The store can be used, for the first time or again. */
  readonly onOpened: () => void
  /** Called for each change of the state, not for a failure that follows another. */
  readonly onChange: (state: StoreState, lasted: number) => void
  /** A damaged store was set aside and a fresh one begun; the sentence says so. */
  readonly onSetAside: (sentence: string) => void
  /** A command took so many milliseconds. */
  readonly onCommand: (command: StoreCommand, took: number, trouble: StoreTrouble | undefined) => void
}

/** A store that may be away: it is opened again and again, and no failure leaves this file. */
export interface StoreLink {
  /** Opens it. Resolves when it can be used, or after so many milliseconds without that. */
  start(patience: number): Promise<void>
  /** Undefined when it failed, or while the store is away. */
  use<Result>(
    command: StoreCommand,
    act: (engine: StoreEngine) => Promise<Result>,
  ): Promise<Result | undefined>
  /** Whether anything can be asked of it now. */
  isUsable(): boolean
  /** Resolves when it was opened for the first time, or could not be; undefined after that. */
  opening(): Promise<void> | undefined
  state(): StoreState
  /** Something was not written for this reason, though the store can be used: told for `WARNS`. */
  warn(error: StoreError): void
  /** The largest number that this gate knows. */
  number(): number
  /** The number of a new mark: the store's, or this gate's own while the store is away. */
  nextNumber(): Promise<number>
  /** See `Pulse`. */
  areAgesUnknown(): boolean
  /** Beats now, and not only in its turn: somebody waits for letters. */
  hurry(): Promise<void>
  roster(): Promise<readonly RosterEntry[] | undefined>
  /** Closes it, within `patience` milliseconds. */
  stop(patience: number): Promise<void>
}

/** What was not written is told for so long after the last time; milliseconds. */
const WARNS = 5_000
/** Milliseconds until a folder is opened again: the first time, and at most. */
const RETRY = { first: 1_000, most: 10_000 }

export function createStoreLink(options: StoreLinkOptions): StoreLink {
  const { engine, clock, after, onChange, onCommand } = options
  let state: StoreState = { usable: false, since: clock.now() }
  const heart = createHeartbeat(options)
  let isOpen = false
  let hasOpened = false
  const first = engine.isShared ? BEAT : RETRY.first
  let retryIn = first
  let cancelNext: (() => void) | undefined
  let beating: Promise<void> | undefined
  let stopped = false
  let warnedAt = 0
  let cancelWarning: (() => void) | undefined
  let endOpening = (): void => {}
  let opening: Promise<void> | undefined = new Promise<void>((resolve) => {
    endOpening = () => {
      opening = undefined
      resolve()
    }
  })

  const become = (next: Omit<StoreState, 'since'>): void => {
    const was = state
    // A failure after another one is no change, but its sentence counts.
    const isChange = was.usable !== next.usable || was.message === undefined
    state = { ...next, since: isChange ? clock.now() : was.since }
    if (isChange && (was.message !== undefined || !next.usable)) onChange(state, clock.now() - was.since)
  }

  const timed = async <Result>(command: StoreCommand, act: () => Promise<Result>): Promise<Result> => {
    const began = clock.now()
    try {
      const result = await act()
      onCommand(command, clock.now() - began, undefined)
      return result
    } catch (error) {
      onCommand(command, clock.now() - began, errorOf(error).trouble)
      throw error
    }
  }

  const open = async (): Promise<void> => {
    if (isOpen) return
    const setAside = await timed('open', () => engine.open())
    isOpen = true
    if (setAside === undefined) return
    options.onSetAside(setAside)
  }

  const beat = async (): Promise<void> => {
    try {
      await open()
      for (;;) {
        const began = clock.now()
        const heard = await timed('beat', heart.pulse).catch((error: unknown) => {
          // This process may have been held up itself, so that one late answer says nothing.
          if (!state.usable || errorOf(error).trouble !== 'timeout') throw error
          return timed('beat', heart.pulse)
        })
        if (stopped) return
        await heart.hear(heard, clock.now() - began)
        // What was applied is told at once, since somebody may wait for it.
        if (heard.letters.length === 0) break
      }
      const isBack = !state.usable
      if (isBack) become({ usable: true })
      hasOpened = true
      if (isBack) options.onOpened()
    } catch (error) {
      fail(errorOf(error))
    }
    endOpening()
  }

  const fail = (error: StoreError): void => {
    if (stopped) return
    // One that fails again and again is opened ever less often, also where each opening succeeds.
    if (state.usable && clock.now() - state.since >= RETRY.most) retryIn = first
    // After a timeout it is open, and hung. Whether it still hangs shows the next heartbeat.
    if (error.trouble !== 'timeout' && error.trouble !== 'secret') isOpen = false
    become({ usable: false, trouble: error.trouble, message: error.message })
  }

  const beatOnce = (): Promise<void> => {
    cancelNext?.()
    cancelNext = undefined
    beating ??= beat().finally(() => {
      beating = undefined
      if (stopped) return
      cancelNext = after(state.usable ? BEAT : retryIn, () => void beatOnce())
      if (!state.usable && !engine.isShared) retryIn = Math.min(2 * retryIn, RETRY.most)
    })
    return beating
  }

  const isUsable = (): boolean => state.usable || (engine.isParted && hasOpened && isOpen)

  const use: StoreLink['use'] = async (command, act) => {
    if (!isUsable()) return undefined
    try {
      return await timed(command, () => act(engine))
    } catch (error) {
      const { trouble } = errorOf(error)
      // The heartbeat judges; after a failure it comes at once.
      if (trouble !== 'timeout' || !engine.isShared) void beatOnce()
      return undefined
    }
  }

  return {
    async start(patience) {
      let stopWaiting = (): void => {}
      const enough = new Promise<void>((resolve) => {
        stopWaiting = after(patience, resolve)
      })
      await Promise.race([beatOnce(), enough])
      stopWaiting()
      // A folder is still being read; a Valkey that is away is not waited for.
      if (engine.isShared) endOpening()
    },
    use,
    isUsable,
    opening: () => opening,
    state: () => state,
    warn({ trouble, message }) {
      if (!state.usable) return
      const isChange = state.trouble === undefined
      state = { ...state, trouble, message }
      cancelWarning?.()
      cancelWarning = after(WARNS, () => {
        if (!state.usable || state.trouble === undefined) return
        state = { usable: true, since: state.since }
        onChange(state, clock.now() - warnedAt)
      })
      if (!isChange) return
      warnedAt = clock.now()
      onChange(state, 0)
    },
    number: heart.number,
    areAgesUnknown: heart.areAgesUnknown,
    async nextNumber() {
      return heart.numbered(await use('mark', (open) => open.nextNumber(heart.number())))
    },
    hurry: beatOnce,
    roster: () => use('tell', (open) => open.roster()),
    async stop(patience) {
      stopped = true
      cancelNext?.()
      cancelWarning?.()
      const enough = new Promise<void>((resolve) => void after(patience, resolve))
      const goodbye = state.usable ? engine.goodbye().catch(() => undefined) : Promise.resolve()
      state = { usable: false, since: clock.now() }
      await Promise.race([goodbye.then(() => engine.close()), enough])
    },
  }
}

function errorOf(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('failed', String(error), error)
}
