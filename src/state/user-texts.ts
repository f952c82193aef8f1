/** One text for each user, changed by compare and set. All methods but `now` reject with a `StoreError`. */
export interface UserTexts {
  /** Other processes write them, too. */
  readonly isShared: boolean
  /** Whether the text of this user can be used now. Nobody waits where it cannot. */
  isUsable(user: string): boolean
  /** What is kept of a user; undefined = nothing. */
  read(user: string): Promise<UserText | undefined>
  /**
   * Puts a text in the place of what was read; undefined = nothing was there. Resolves with undefined when
   * somebody was faster: then nothing has changed.
   * @param keepFor milliseconds after which it may be dropped
   */
  write(
    user: string,
    text: string,
    before: UserText | undefined,
    keepFor: number,
  ): Promise<UserText | undefined>
  /** Milliseconds of the store's clock, which may be set. */
  now(): number
}

export interface UserText {
  /** As another gate or release has written it; empty where it cannot be opened. */
  readonly text: string
  /** Equal only for the very same write. */
  readonly version: Buffer
}
