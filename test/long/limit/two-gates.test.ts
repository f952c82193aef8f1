import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BEAT } from '../../../src/state/store-engine.ts'
import { limitCases } from '../../support/limit-cases.ts'
import { startLimitSite } from '../../support/limit-site.ts'
import type { LimitStage } from '../../support/limit-stage.ts'
import { forSuite } from '../../support/scope.ts'
import { startValkey } from '../../support/valkey.ts'
import { storeOf } from '../../support/valkey-settings-of.ts'

/** The same cases, each viewer at another gate than the last; both share a Valkey. */
describe('how many at once, through two gates that share a Valkey, in real time', {
  concurrency: true,
}, () => {
  for (const sessionLimit of ['newest', 'refuse', 'report'] as const)
    describe(`SESSION_LIMIT=${sessionLimit}`, { concurrency: true }, () => {
      const sites = forSuite(async (scope) => {
        const settings = {
          ...storeOf(await startValkey(scope)),
          STATE_SECRET: 'a-secret-of-two-gates-for-tests-only',
          ...{ SESSION_LIMIT: sessionLimit, STATE_TIMEOUT: '1s', BACKEND_TIMEOUT: '1s' },
        }
        const first = await startLimitSite(scope, settings)
        // What another backend has judged would be unknown.
        const BACKEND_URL = `${first.backend.url}/auth`
        return { all: [first, await startLimitSite(scope, { ...settings, BACKEND_URL })] as const }
      })
      for (const one of limitCases)
        if ((one.sessionLimit ?? 'newest') === sessionLimit)
          test(one.name, async (t) => {
            const stages = sites.all.map((site) => site.stage(t, one))
            const [first] = stages
            if (first === undefined) return
            let viewers = 0
            /** A gate hears with its next heartbeat of a session that another one has put out. */
            const heard = async (answer: Promise<string>): Promise<string> => {
              const got = await answer
              await delay(2 * BEAT)
              return got
            }
            const stage: LimitStage = {
              ...{ later: 30, wait: first.wait },
              viewer(player, address) {
                // Both number the addresses alike.
                const all = stages.map((one) => one.viewer(player, address))
                const at = all[viewers++ % all.length] ?? first.viewer(player, address)
                const { open, head, segment } = at
                return {
                  open: (...asked) => heard(open(...asked)),
                  head: (...asked) => heard(head(...asked)),
                  segment,
                }
              },
            }
            await one.play(stage)
          })
    })
})
