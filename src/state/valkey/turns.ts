/** Calls that take effect in their order, though one may need several commands. */
export interface Turns {
  take<Result>(act: () => Promise<Result>): Promise<Result>
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return {
    take(act) {
      const result = last.then(act)
      last = result.catch(() => undefined)
      return result
    },
  }
}
