import assert from 'node:assert/strict'
import { startBackend } from '../support/backend.ts'
import { opposite, RECOVERY, startFaultSite, unknown, variants } from '../support/fault-site.ts'
import { patientTest } from '../support/patient-test.ts'
import { pretendDns, v4 } from '../support/pretend-dns.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

patientTest(
  'a resolver that does not work at the start: the default action, over TCP and a Unix socket; real verdicts 5 s after it does',
  async (t) => {
    const resolver = pretendDns(t, 'broken')
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    let newcomers = 9
    const sites = await Promise.all(
      variants.map((setup) => startFaultSite(t, `http://backend.example:${backend.port}/auth`, setup)),
    )
    for (const { ask, defaultAction } of sites) {
      const { verdict, source, reason } = await ask(unknown(defaultAction))
      assert.deepEqual([verdict, source, reason], [defaultAction, 'default', 'unavailable-dns'])
    }
    resolver.says = [v4('127.0.0.1')]
    await Promise.all(
      sites.map(async ({ ask, defaultAction, lines }) => {
        const expected = opposite(defaultAction)
        const isReal = async (): Promise<boolean> => (await ask(unknown(defaultAction))).verdict === expected
        await until('a real verdict', isReal, RECOVERY)
        await until('the log line', async () => {
          await ask(unknown(defaultAction, `192.0.2.${++newcomers}`))
          return lines('backend available again').length > 0
        })
        assert.equal(lines('backend unavailable').length, 1)
      }),
    )
  },
)
