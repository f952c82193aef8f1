import { describe, test } from 'node:test'
import { limitCases } from '../../support/limit-cases.ts'
import { startLimitSite } from '../../support/limit-site.ts'
import { forSuite } from '../../support/scope.ts'

/** All cases side by side, in real time: about a minute and a half. */
describe('how many at once, through nginx in real time', { concurrency: true }, () => {
  for (const sessionLimit of ['newest', 'refuse', 'report'] as const)
    describe(`SESSION_LIMIT=${sessionLimit}`, { concurrency: true }, () => {
      const site = forSuite((scope) => startLimitSite(scope, { SESSION_LIMIT: sessionLimit }))
      for (const one of limitCases)
        if ((one.sessionLimit ?? 'newest') === sessionLimit)
          test(one.name, (t) => one.play(site.stage(t, one)))
    })
})
