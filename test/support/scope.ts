import { after } from 'node:test'

/** Where a starter registers how to end what it started: a test's context, or the scope of a whole suite. */
export interface Scope {
  after(end: () => Promise<void> | void): void
}

/** Ends what was started for a suite, latest first. Call it in the suite's body: a hook that `before` registers runs too early. */
export function suiteScope(): Scope {
  const ends: (() => Promise<void> | void)[] = []
  after(async () => {
    for (const end of ends.reverse()) await end()
  })
  return { after: (end) => void ends.push(end) }
}
