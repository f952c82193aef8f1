import { describe, test } from 'node:test'
import { limitCases } from '../support/limit-cases.ts'
import { startLimitSite } from '../support/limit-site.ts'
import { forSuite } from '../support/scope.ts'

/** Those that need few seconds; all of them are in test/long/session-limit.test.ts. */
for (const sessionLimit of ['newest', 'refuse', 'report'] as const)
  describe(`SESSION_LIMIT=${sessionLimit}, through nginx`, { concurrency: true }, () => {
    const site = forSuite((scope) => startLimitSite(scope, { SESSION_LIMIT: sessionLimit }))
    for (const one of limitCases)
      if (one.quick === true && (one.sessionLimit ?? 'newest') === sessionLimit)
        test(one.name, (t) => one.play(site.stage(t, one)))
  })
