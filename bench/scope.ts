import type { Scope } from '../test/support/scope.ts'

/** A scope that ends by a call. */
export interface OwnScope extends Scope {
  /** Ends what was started, latest first. A second call waits for the first. */
  end(): Promise<void>
}

/** Creates a scope, in which the bench registers how to end what it starts. */
export function createScope(): OwnScope {
  const ends: (() => Promise<void> | void)[] = []
  let ending: Promise<void> | undefined
  const endAll = async (): Promise<void> => {
    for (let last = ends.pop(); last !== undefined; last = ends.pop()) await last()
  }
  return {
    after: (end) => void ends.push(end),
    end: () => {
      ending ??= endAll()
      return ending
    },
  }
}
