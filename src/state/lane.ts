/** Does one thing after another, whether or not the one before failed. */
export type Lane = <Result>(act: () => Promise<Result>) => Promise<Result>

export function createLane(): Lane {
  let last: Promise<unknown> = Promise.resolve()
  return (act) => {
    const result = last.then(act)
    last = result.catch(() => undefined)
    return result
  }
}
