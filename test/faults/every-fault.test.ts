import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBackend } from '../support/backend.ts'
import { type ConnectionFault, connectionFaults } from '../support/connection-faults.ts'
import { createChance } from '../support/create-chance.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import {
  assertKept,
  assertRecovers,
  type FaultSite,
  learn,
  meetOutage,
  opposite,
  type Setup,
  startFaultSite,
  type Told,
  unknown,
  variants,
} from '../support/fault-site.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { rounds } from '../support/rounds.ts'
import type { Scope } from '../support/scope.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

interface Site {
  readonly site: FaultSite
  readonly proxy: FaultProxy
}

/** Each fault once; in `npm run test:long` over each way and with each default action. */
const setups = variants.slice(0, rounds(1, variants.length))
const nameOf = ({ way, defaultAction }: Setup): string => `gate over ${way}, DEFAULT_ACTION=${defaultAction}`

async function startSite(scope: Scope, setup: Setup): Promise<Site> {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const proxy = await startFaultProxy(scope, backend.port)
  return { site: await startFaultSite(scope, proxy.url, setup), proxy }
}

async function meetConnectionFault(t: Attempt, fault: ConnectionFault, setup: Setup): Promise<void> {
  const { site, proxy } = await startSite(t, { ...setup, short: true })
  await meetOutage(t, site, {
    async begin() {
      const end = await fault.begin(proxy)
      return async () => {
        await end()
        await proxy.behave({ kind: 'pass' })
      }
    },
    open: proxy.open,
    reason: /^unavailable-(?:timeout|refused|reset|closed|not-http)$/,
  })
}

const resources = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => /TCP|Pipe(?!Wrap)|Timeout|Connect/.test(name))

// Most of it is waiting.
describe('faults', { concurrency: 6 }, () => {
  for (const fault of connectionFaults) {
    // One of them shows the other way and the other action.
    for (const setup of fault.what === 'resets' ? variants : setups) {
      patientTest(`a backend that ${fault.what}: the default action; ${nameOf(setup)}`, (t) =>
        meetConnectionFault(t, fault, setup),
      )
    }
  }

  for (const setup of setups) {
    patientTest(`a backend that flaps five times a second is one outage; ${nameOf(setup)}`, async (t) => {
      const { site, proxy } = await startSite(t, { ...setup, short: true })
      await learn(site)
      let up = false
      const flap = setInterval(() => {
        up = !up
        void proxy.behave({ kind: up ? 'pass' : 'reset' })
      }, 200)
      t.after(() => clearInterval(flap))
      const end = performance.now() + 3_000
      for (let n = 10; performance.now() < end; n++) {
        const [told] = await Promise.all([
          site.ask(unknown(setup.defaultAction, `192.0.2.${n}`)),
          assertKept(site),
        ])
        const real = told.source === 'backend' ? opposite(setup.defaultAction) : setup.defaultAction
        assert.equal(told.verdict, real, told.source)
        await delay(50)
      }
      clearInterval(flap)
      await proxy.behave({ kind: 'pass' })
      // The breaker may be open, and refuse the first new viewers after the end.
      await assertRecovers(
        site,
        () => site.lines('decided').filter((line) => line['source'] === 'default').length,
      )
    })

    patientTest(`one failure in five: each question is judged by its own; ${nameOf(setup)}`, async (t) => {
      const { site, proxy } = await startSite(t, setup)
      await learn(site)
      const chance = createChance(7)
      const told: Told[] = []
      for (let n = 10; n < 210; n++) {
        await proxy.behave({ kind: chance() < 0.2 ? 'close' : 'pass' })
        told.push(await site.ask(unknown(setup.defaultAction, `192.0.2.${n}`)))
        if (n % 20 === 0) await assertKept(site)
      }
      const byDefault = told.filter(({ source }) => source === 'default')
      assert.ok(byDefault.every(({ verdict }) => verdict === setup.defaultAction))
      assert.ok(byDefault.length > 20 && byDefault.length < 70, `${byDefault.length} by default`)
      const rest = told.filter(({ source }) => source === 'backend')
      assert.equal(rest.length + byDefault.length, told.length)
      assert.ok(rest.every(({ verdict }) => verdict === opposite(setup.defaultAction)))
      assert.equal((await site.gate.backend()).breaker, 'closed')
    })

    patientTest(`a restart with idle connections loses nothing; ${nameOf(setup)}`, async (t) => {
      const { site, proxy } = await startSite(t, setup)
      await learn(site)
      for (let restart = 0; restart < 5; restart++) {
        const viewers = Array.from({ length: 8 }, (_, n) => unknown('deny', `198.51.${restart}.${n}`))
        await Promise.all(viewers.map(site.ask))
        await proxy.behave({ kind: 'refuse' })
        await proxy.behave({ kind: 'pass' })
        const next = Array.from({ length: 8 }, (_, n) => unknown('deny', `203.0.${restart}.${n}`))
        for (const { reason } of await Promise.all(next.map(site.ask))) assert.equal(reason, 'backend-200')
      }
      assert.equal(site.lines('backend unavailable').length, 0)
    })
  }
})

patientTest('when all is over, no socket and no timer is left', async (t) => {
  t.diagnostic(`${connectionFaults.length + 3} faults, each in ${setups.length} variants`)
  await until(
    'the end of every socket and timer',
    () => resources().filter((name) => name !== 'Timeout').length === 0,
  )
  const left = resources()
  assert.ok(left.length <= 2, `left: ${left.join(' ')}`)
})
