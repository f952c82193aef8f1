import type { StoreClock } from './kept.ts'
import {
  BEAT,
  type Letter,
  type Pulse,
  type RosterEntry,
  type StoreEngine,
  StoreError,
  type StoreTrouble,
} from './store-engine.ts'
import type { Vault } from './vault.ts'

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

export interface StoreLinkOptions {
  readonly engine: StoreEngine
  readonly vault: Vault
  readonly clock: StoreClock
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** What this gate says of itself in the roster. */
  readonly about: () => string
  /** Before it is used for the first time. Never rejects. */
  readonly prepare: () => Promise<void>
  /** The store can be used, for the first time or again. */
  readonly onOpened: () => void
  /** It is another store than before: it was emptied, or has lost something. */
  readonly onForgotten: () => void
  /** Its clock was set, by so many milliseconds. */
  readonly onStepped: (by: number) => void
  /** There are other wide marks than this gate knows. Resolves when they are known. */
  readonly onWide: (engine: StoreEngine) => Promise<void>
  /** A letter, opened; undefined where it cannot be. */
  readonly onLetter: (text: string | undefined) => void
  /** Letters were lost. */
  readonly onCut: () => void
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

/** Bytes of letters with one heartbeat. */
const MOST_LETTERS = 262_144
/** A clock that differs by more was set; milliseconds. Less is the way that a heartbeat takes. */
const STEPPED = 5_000
const DRIFTED = 1_000
/** What was not written is told for so long after the last time; milliseconds. */
const WARNS = 5_000
/** Milliseconds until a folder is opened again: the first time, and at most. */
const RETRY = { first: 1_000, most: 10_000 }

export function createStoreLink(options: StoreLinkOptions): StoreLink {
  const { engine, vault, clock, after, onChange, onCommand } = options
  let state: StoreState = { usable: false, since: clock.now() }
  let known = 0
  let isOpen = false
  let hasOpened = false
  let name: string | undefined
  let have = 0
  let wide = 0
  let areAgesUnknown = false
  let retryIn = engine.isShared ? BEAT : RETRY.first
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

  /** @throws {StoreError} */
  const identify = async (): Promise<void> => {
    const identity = await engine.identify(vault.identity())
    if (!vault.accept(identity))
      throw new StoreError(
        'secret',
        'the store was begun with another STATE_SECRET; write the same one on all gates, or the former one behind it',
      )
    const anew = vault.sealedAnew(identity)
    if (anew !== undefined) await engine.sealAnew(identity, anew)
    const isOther = name !== undefined && name !== identity.name
    name = identity.name
    if (isOther) options.onForgotten()
  }

  /** The letters that came with it are applied when it resolves. */
  const pulse = async (): Promise<Pulse> => {
    const entry = vault.seal(options.about(), engine.keys.gates)
    return await timed('beat', () => engine.beat({ entry, number: known, have, most: MOST_LETTERS }))
  }

  const hear = async (heard: Pulse, took: number): Promise<void> => {
    known = Math.max(known, heard.number)
    areAgesUnknown = heard.areAgesUnknown === true
    const offset = Math.round(heard.time - clock.now() + took / 2)
    const by = offset - clock.offset
    // What was long on its way says little of the time.
    const counts = took < DRIFTED || !hasOpened
    if (!hasOpened || (counts && Math.abs(by) > DRIFTED)) clock.offset = offset
    if (hasOpened && counts && Math.abs(by) > STEPPED) options.onStepped(by)
    if (heard.store === undefined || heard.store !== name) {
      have = 0
      wide = 0
      await identify()
    }
    if (!hasOpened) await options.prepare()
    if (heard.wide !== wide) {
      await options.onWide(engine)
      wide = heard.wide
    }
    for (const letter of heard.letters) apply(letter)
    if (heard.cut && hasOpened) options.onCut()
  }

  const apply = ({ number, value }: Letter): void => {
    have = Math.max(have, number)
    options.onLetter(vault.open(value, engine.keys.inbox(engine.gate)))
  }

  const beat = async (): Promise<void> => {
    try {
      await open()
      for (;;) {
        const began = clock.now()
        const heard = await pulse().catch((error: unknown) => {
          // This process may have been held up itself, so that one late answer says nothing.
          if (!state.usable || errorOf(error).trouble !== 'timeout') throw error
          return pulse()
        })
        if (stopped) return
        await hear(heard, clock.now() - began)
        // What was applied is told at once, since somebody may wait for it.
        if (heard.letters.length === 0) break
      }
      retryIn = engine.isShared ? BEAT : RETRY.first
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
    number: () => known,
    areAgesUnknown: () => areAgesUnknown,
    async nextNumber() {
      const next = await use('mark', (open) => open.nextNumber(known))
      known = Math.max(known + (next === undefined ? 1 : 0), next ?? 0)
      return known
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
