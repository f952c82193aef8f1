import { StoreError } from '../record-store.ts'

/** Calls into the thread pool, each with a deadline. */
export interface Calls {
  /**
   * Makes a call. It rejects when the call takes longer than its deadline, in milliseconds, and at once while
   * an earlier one is past its own.
   */
  make<Result>(deadline: number, call: () => Promise<Result>): Promise<Result>
  /** As `make`, but also while an earlier call is past its deadline. */
  makeAnyway<Result>(deadline: number, call: () => Promise<Result>): Promise<Result>
}

export interface CallsOptions {
  readonly folder: string
  /** Calls `act` after so many milliseconds; the result cancels it. */
  startTimer(milliseconds: number, act: () => void): () => void
  /** A call that was given up has failed after all. */
  onLateError(error: unknown): void
}

/**
 * libuv has four threads for all files and for DNS. A hung disk keeps a thread for each call, so none is sent
 * after one that does not return.
 */
export function createCalls({ folder, startTimer, onLateError }: CallsOptions): Calls {
  let hanging = 0
  const late = (): StoreError =>
    new StoreError('timeout', `the store ${folder}: its disk does not answer in time`)

  const makeAnyway = <Result>(deadline: number, call: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      let isLate = false
      const cancel = startTimer(deadline, () => {
        isLate = true
        hanging += 1
        reject(late())
      })
      const settle = (): void => {
        cancel()
        if (isLate) hanging -= 1
      }
      // An error that is thrown at once counts as one that comes later.
      const made = (async () => call())()
      made.then(
        (result) => {
          settle()
          resolve(result)
        },
        (error: unknown) => {
          settle()
          if (isLate) onLateError(error)
          else reject(error)
        },
      )
    })

  return {
    make: (deadline, call) => (hanging > 0 ? Promise.reject(late()) : makeAnyway(deadline, call)),
    makeAnyway,
  }
}
