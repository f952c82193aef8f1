import type { StoreClock } from './kept.ts'
import { type StoreEngine, StoreError } from './store-engine.ts'
import type { StoreLink } from './store-link.ts'
import type { Vault } from './vault.ts'

/** One text for each user (64 KB at most), changed by compare and set. */
export interface UserTexts {
  /** Other processes write them, too. False: this process alone does, so what it has read once it knows. */
  readonly isShared: boolean
  /** Whether the text of this user can be read and written now. Nobody waits where it cannot. */
  isUsable(user: string): boolean
  /**
   * What is kept; undefined = nothing. A value that cannot be opened is an empty text with its version.
   * @throws {StoreError}
   */
  read(user: string): Promise<UserText | undefined>
  /**
   * Puts a text in place of what was read; undefined = nothing was there. Undefined: somebody was faster,
   * nothing has changed; read again. @param keepFor milliseconds after which it may be dropped
   * @throws {StoreError}
   */
  write(
    user: string,
    text: string,
    before: UserText | undefined,
    keepFor: number,
  ): Promise<UserText | undefined>
  /** Milliseconds since 1970 by the clock of the store. It may step. */
  now(): number
}

export interface UserText {
  /** As another gate or release has written it. */
  readonly text: string
  /** Equal only for the very same write. */
  readonly version: Buffer
}

/** Bytes of a text at most. */
const MOST = 65_536

interface UserTextsOptions {
  readonly link: Pick<StoreLink, 'use' | 'isUsable' | 'state'>
  readonly vault: Vault
  readonly keys: StoreEngine['keys']
  readonly isShared: boolean
  readonly clock: StoreClock
  /** STATE_TIMEOUT: how long each call may take, in milliseconds. */
  readonly timeout: number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** A request has waited for the store in vain a moment ago: it does not wait for a user, too. */
  readonly isLate: () => boolean
}

export function createUserTexts(options: UserTextsOptions): UserTexts {
  const { link, vault, keys, isShared, clock, timeout, after, isLate } = options
  /** Undefined when it takes longer. */
  const within = <Result>(using: Promise<Result>): Promise<Result | undefined> =>
    new Promise((resolve) => {
      const cancel = after(timeout, () => resolve(undefined))
      void using.then((result) => {
        cancel()
        resolve(result)
      })
    })

  /** @throws {StoreError} */
  const use = async <Result>(act: (engine: StoreEngine) => Promise<Result>): Promise<[Result]> => {
    const using = link.use('user', async (engine): Promise<[Result]> => [await act(engine)])
    const done = await within(using)
    if (done !== undefined) return done
    const { trouble = 'timeout', message = 'the store did not answer in time' } = link.state()
    throw new StoreError(trouble, message)
  }

  return {
    isShared,
    isUsable: () => link.isUsable() && !isLate(),
    async read(user) {
      const name = vault.user(user)
      const [value] = await use((engine) => engine.readUser(name))
      return value && { text: vault.open(value, keys.user(name)) ?? '', version: value }
    },
    async write(user, text, before, keepFor) {
      if (text.length > MOST) throw new StoreError('failed', 'the text of a user has more than 64 KB')
      const name = vault.user(user)
      const version = vault.seal(text, keys.user(name))
      const keep = Math.max(1, Math.ceil(keepFor))
      const [isDone] = await use((engine) => engine.replaceUser(name, before?.version, version, keep))
      return isDone ? { text, version } : undefined
    },
    now: () => clock.now() + clock.offset,
  }
}
