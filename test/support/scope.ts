import { after, before } from 'node:test'

/** Where a starter registers how to end what it started: a test's context, or the scope of a whole suite. */
export interface Scope {
  after(end: () => Promise<void> | void): void
}

/**
 * Ends what was started for a suite, latest first. Call it in the suite's body: a hook that is registered in
 * `before` runs too early.
 */
export function suiteScope(): Scope {
  const ends: (() => Promise<void> | void)[] = []
  after(async () => {
    for (const end of ends.reverse()) await end()
  })
  return { after: (end) => void ends.push(end) }
}

/**
 * What all tests of a suite use. It is started before the first of them and ended after the last. Call it in
 * the suite's body, and use the result only in tests and in later `forSuite`s: before that it has no
 * properties.
 */
export function forSuite<Started extends object>(start: (scope: Scope) => Promise<Started>): Started {
  const scope = suiteScope()
  let started: Started | undefined
  before(async () => {
    started = await start(scope)
  })
  const get = (): Started => {
    if (started === undefined) throw new Error('the suite has not started it yet')
    return started
  }
  return new Proxy({} as Started, {
    get: (_empty, name) => Reflect.get(get(), name),
    set: (_empty, name, value) => Reflect.set(get(), name, value),
  })
}
