import { describe, test } from 'node:test'
import { playThroughRestarts, startRestartedSite } from '../support/play-through-restarts.ts'
import { forSuite } from '../support/scope.ts'

/** 200 of them, and more restarts, are in test/long/plays-on.test.ts. */
describe('five set-top boxes with dead links play through a restart', () => {
  const site = forSuite((scope) => startRestartedSite(scope))

  test('SIGTERM: nobody is refused, and the portal is not asked again', async (t) => {
    await playThroughRestarts(t, site, { count: 5, restarts: 1, signal: 'SIGTERM' })
  })

  test('kill -9: only nginx itself refuses, while there is no gate, and the portal is not asked again', async (t) => {
    await playThroughRestarts(t, site, { count: 5, restarts: 1, signal: 'SIGKILL' })
  })
})
