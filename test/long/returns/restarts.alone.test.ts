import { describe, test } from 'node:test'
import { playThroughRestarts, startRestartedSite } from '../../support/play-through-restarts.ts'
import { forSuite } from '../../support/scope.ts'

describe('200 set-top boxes with dead links play through restarts', () => {
  const site = forSuite((scope) => startRestartedSite(scope))

  test('SIGTERM: nobody is refused, and the portal is not asked again', async (t) => {
    await playThroughRestarts(t, site, { count: 200, restarts: 3, signal: 'SIGTERM' })
  })

  test('kill -9: only nginx itself refuses, while there is no gate, and the portal is not asked again', async (t) => {
    await playThroughRestarts(t, site, { count: 200, restarts: 3, signal: 'SIGKILL' })
  })
})
