import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type TestContext, test } from 'node:test'
import type { Scope } from './scope.ts'

/** What a test's body may use. Everything it starts ends with the attempt. */
export interface Attempt extends Scope {
  diagnostic(message: string): void
  readonly mock: TestContext['mock']
}

const ATTEMPTS = 3
/** Milliseconds. A process that cannot run for this long in one go may miss deadlines. */
const STALL = 40

/**
 * A test of deadlines on a machine that others use, too. A failure counts, unless the machine is known to
 * have kept this process from running. Then the test is tried again, and says so.
 */
export function patientTest(name: string, body: (attempt: Attempt) => Promise<void> | void): Promise<void> {
  return test(name, async (t) => {
    for (let attempt = 1; ; attempt++) {
      const ends: Parameters<Scope['after']>[0][] = []
      const stalls = monitorEventLoopDelay({ resolution: 10 })
      stalls.enable()
      try {
        await body({
          after: (end) => void ends.push(end),
          diagnostic: (message) => t.diagnostic(message),
          mock: t.mock,
        })
        return
      } catch (error) {
        const longest = Math.round(stalls.max / 1e6)
        if (attempt === ATTEMPTS || longest < STALL) throw error
        const why = `this process was kept from running for ${longest} ms`
        t.diagnostic(`tried again: ${why}`)
        // tools/test.mjs counts them over the whole run.
        const file = process.env['TEST_RETRIES']
        if (file !== undefined) appendFileSync(file, `${name}: ${why}\n`)
      } finally {
        stalls.disable()
        t.mock.reset()
        for (const end of ends.reverse()) await end()
      }
    }
  })
}
