import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Verdict } from '../src/verdict.ts'
import type { GateQuestion } from './support/ask-gate.ts'
import { type Backend, startBackend } from './support/backend.ts'
import { type ConnectionFault, connectionFaults, DEADLINE } from './support/connection-faults.ts'
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.ts'
import { type GetFrom, getVerdict } from './support/http-get.ts'
import { type Attempt, patientTest } from './support/patient-test.ts'
import { startWatchedGate, type WatchedGate } from './support/readiness.ts'
import type { Scope } from './support/scope.ts'
import { watchStalls } from './support/stalls.ts'
import { makeTemporaryFolder } from './support/temporary-folder.ts'
import { hasToken } from './support/token-backend.ts'
import { until } from './support/until.ts'

/** What an answer may take past the deadline: 50 ms, and 100 ms for a noisy machine. */
const MARGIN = 150
/** Real verdicts are back within this many milliseconds after a fault. */
const RECOVERY = 5_000
/** Verdicts are past their time after this many milliseconds where the fault must be met by known viewers too. */
const SHORT = 200

const ways = ['TCP', 'a Unix socket'] as const
const verdicts: readonly Verdict[] = ['allow', 'deny']
const variants = ways.flatMap((way) => verdicts.map((defaultAction) => ({ way, defaultAction })))

interface Setup {
  readonly way: (typeof ways)[number]
  readonly defaultAction: Verdict
  /** Known verdicts are past their time at once, so that the backend is asked about them during the fault. */
  readonly short?: boolean
}

interface Site {
  readonly backend: Backend
  readonly proxy: FaultProxy
  readonly gate: WatchedGate
  readonly defaultAction: Verdict
  /** Asks, and asserts what holds for every answer: 200 or 403, verdict and status agree, and in time. */
  ask(viewer: GateQuestion): Promise<Told>
  lines(message: string): readonly Readonly<Record<string, unknown>>[]
}

interface Told {
  readonly verdict: string
  readonly source: string
  readonly reason: string
}

async function startSite(scope: Scope, { way, defaultAction, short = false }: Setup): Promise<Site> {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const proxy = await startFaultProxy(scope, backend.port)
  const socketPath = join(makeTemporaryFolder(scope), 'gate.sock')
  const gate = await startWatchedGate(scope, {
    BACKEND_URL: proxy.url,
    BACKEND_TIMEOUT: `${DEADLINE}ms`,
    DEFAULT_ACTION: defaultAction,
    ...(short ? { ALLOW_TTL: `${SHORT}ms`, DENY_TTL: `${SHORT}ms` } : {}),
    ...(way === 'TCP' ? {} : { LISTEN: `unix:${socketPath}` }),
  })
  const from: GetFrom = way === 'TCP' ? { port: gate.port } : { socketPath }
  return {
    backend,
    proxy,
    gate,
    defaultAction,
    async ask(viewer) {
      const stalls = watchStalls()
      const began = performance.now()
      const { status, headers } = await getVerdict(from, viewer)
      const took = performance.now() - began
      const lost = stalls()
      const text = (name: string): string => String(headers[name])
      const told = {
        verdict: text('x-auth-verdict'),
        source: text('x-auth-source'),
        reason: text('x-auth-reason'),
      }
      assert.equal(status, told.verdict === 'allow' ? 200 : 403)
      assert.ok(told.verdict === 'allow' || told.verdict === 'deny', told.verdict)
      assert.ok(took < DEADLINE + MARGIN + lost, `answered after ${took} ms, ${lost} ms of them lost`)
      return told
    },
    lines: (message) => gate.log.filter((line) => line['message'] === message),
  }
}

const allowed: GateQuestion = { address: '192.0.2.1', uri: '/live/index.m3u8?token=good' }
const denied: GateQuestion = { address: '192.0.2.2', uri: '/live/index.m3u8?token=bad' }
/** Somebody nobody knows, with the token that the default action is wrong about. */
const unknown = (defaultAction: Verdict, address = '192.0.2.3'): GateQuestion => ({
  address,
  uri: `/live/index.m3u8?token=${defaultAction === 'allow' ? 'bad' : 'good'}`,
})
const opposite = (verdict: Verdict): Verdict => (verdict === 'allow' ? 'deny' : 'allow')

async function learn({ ask }: Site): Promise<void> {
  assert.equal((await ask(allowed)).reason, 'backend-200')
  assert.equal((await ask(denied)).reason, 'backend-403')
}

/** Asks both known viewers, who must keep what they have. */
async function assertKept({ ask }: Site): Promise<void> {
  const [one, other] = await Promise.all([ask(allowed), ask(denied)])
  assert.equal(one.verdict, 'allow', `the known allowed viewer: ${one.reason}`)
  assert.equal(other.verdict, 'deny', `the known denied viewer: ${other.reason}`)
  for (const { source } of [one, other]) assert.notEqual(source, 'default')
}

/** The fault is over: all verdicts are real in time, and the log says so once. */
async function assertRecovers(site: Site, countViewers: () => number): Promise<void> {
  const { ask, defaultAction, lines } = site
  const stalls = watchStalls()
  const began = performance.now()
  await until('real verdicts', async () => {
    await assertKept(site)
    const { verdict, source } = await ask(unknown(defaultAction))
    return verdict === opposite(defaultAction) && source !== 'default'
  })
  await until('real verdicts of the known', async () => {
    const told = await Promise.all([ask(allowed), ask(denied)])
    return told.every(({ source }) => source === 'backend' || source === 'session')
  })
  await until('the log line', async () => {
    await ask(allowed)
    return lines('backend available again').length > 0
  })
  const took = performance.now() - began
  assert.ok(took < RECOVERY + stalls(), `real verdicts after ${took} ms`)
  assert.equal(lines('backend unavailable').length, 1)
  const viewers = countViewers()
  const [again, ...more] = lines('backend available again')
  assert.equal(more.length, 0)
  assert.equal(again?.['letInByDefault'], defaultAction === 'allow' ? viewers : 0)
  assert.equal(again?.['refusedByDefault'], defaultAction === 'deny' ? viewers : 0)
  assert.ok(typeof again['seconds'] === 'number' && again['seconds'] >= 1 && again['seconds'] < 10)
}

async function assertNothingHeld({ gate, proxy, lines }: Site): Promise<void> {
  await until('the questions to end', async () => {
    const { inFlight, waiting } = await gate.backend()
    return inFlight === 0 && waiting === 0
  })
  await until('connections to be few', () => proxy.open() <= 6)
  assert.equal((await gate.backend()).breaker, 'closed', 'three viewers open no breaker')
  assert.equal(lines('internal error').length, 0)
}

async function meetOutage(t: Attempt, fault: ConnectionFault, setup: Setup): Promise<void> {
  const site = await startSite(t, { ...setup, short: true })
  await learn(site)
  await delay(SHORT * 1.1)
  const end = await fault.begin(site.proxy)
  t.after(end)
  const [{ verdict, source, reason }] = await Promise.all([
    site.ask(unknown(setup.defaultAction)),
    assertKept(site),
  ])
  assert.deepEqual([verdict, source], [setup.defaultAction, 'default'])
  assert.match(reason, /^unavailable-(?:timeout|refused|reset|closed|not-http)$/)
  await assertKept(site)
  assert.equal(site.lines('backend unavailable').length, 1)
  await end()
  await site.proxy.behave({ kind: 'pass' })
  await assertRecovers(site, () => 1)
  await assertNothingHeld(site)
}

async function meetOddAnswer(t: Attempt, fault: ConnectionFault, setup: Setup): Promise<void> {
  const site = await startSite(t, setup)
  await learn(site)
  t.after(await fault.begin(site.proxy))
  const [told] = await Promise.all([site.ask(unknown(setup.defaultAction)), assertKept(site)])
  assert.equal(told.reason, fault.means)
  assert.equal(told.verdict, fault.means === 'backend-200' ? 'allow' : 'deny')
  await site.proxy.behave({ kind: 'pass' })
  const newcomer = unknown(setup.defaultAction, '192.0.2.4')
  const expected = opposite(setup.defaultAction) === 'allow' ? 'backend-200' : 'backend-403'
  await until('a real verdict', async () => (await site.ask(newcomer)).reason === expected, RECOVERY)
  await assertNothingHeld(site)
  assert.equal(site.lines('backend unavailable').length, 0)
}

const resources = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => /TCP|Pipe(?!Wrap)|Timeout|Connect/.test(name))

describe('faults', { concurrency: 8 }, () => {
  for (const fault of connectionFaults) {
    for (const setup of variants) {
      const meaning = fault.means === 'unavailable' ? 'the default action' : fault.means
      patientTest(
        `a backend that ${fault.what}: ${meaning}; gate over ${setup.way}, DEFAULT_ACTION=${setup.defaultAction}`,
        (t) => (fault.means === 'unavailable' ? meetOutage : meetOddAnswer)(t, fault, setup),
      )
    }
  }

  for (const setup of variants) {
    const where = `gate over ${setup.way}, DEFAULT_ACTION=${setup.defaultAction}`

    patientTest(`a backend that flaps five times a second is one outage; ${where}`, async (t) => {
      const site = await startSite(t, { ...setup, short: true })
      await learn(site)
      let up = false
      const flap = setInterval(() => {
        up = !up
        void site.proxy.behave({ kind: up ? 'pass' : 'reset' })
      }, 200)
      t.after(() => clearInterval(flap))
      const until = performance.now() + 3_000
      for (let n = 10; performance.now() < until; n++) {
        const [told] = await Promise.all([
          site.ask(unknown(setup.defaultAction, `192.0.2.${n}`)),
          assertKept(site),
        ])
        const real = told.source === 'backend' ? opposite(setup.defaultAction) : setup.defaultAction
        assert.equal(told.verdict, real, told.source)
        await delay(50)
      }
      clearInterval(flap)
      await site.proxy.behave({ kind: 'pass' })
      // The breaker may have opened, and the first newcomers after the end are met by it.
      await assertRecovers(
        site,
        () => site.lines('decided').filter((line) => line['source'] === 'default').length,
      )
    })

    patientTest(
      `a backend that fails one time in five: each question is judged by its own outcome; ${where}`,
      async (t) => {
        const site = await startSite(t, setup)
        await learn(site)
        let seed = 7
        const chance = (): number => {
          seed = (seed * 48_271) % 2_147_483_647
          return seed / 2_147_483_647
        }
        const told: Told[] = []
        for (let n = 10; n < 210; n++) {
          await site.proxy.behave({ kind: chance() < 0.2 ? 'close' : 'pass' })
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
      },
    )

    patientTest(`a backend restarted with idle connections: nothing is lost; ${where}`, async (t) => {
      const site = await startSite(t, setup)
      await learn(site)
      for (let restart = 0; restart < 5; restart++) {
        const viewers = Array.from({ length: 8 }, (_, n) => unknown('deny', `198.51.${restart}.${n}`))
        await Promise.all(viewers.map(site.ask))
        await site.proxy.behave({ kind: 'refuse' })
        await site.proxy.behave({ kind: 'pass' })
        const next = Array.from({ length: 8 }, (_, n) => unknown('deny', `203.0.${restart}.${n}`))
        for (const { reason } of await Promise.all(next.map(site.ask))) assert.equal(reason, 'backend-200')
      }
      assert.equal(site.lines('backend unavailable').length, 0)
    })

    patientTest(
      `an opposite answer while the connection is idle is nobody's verdict; ${where}`,
      async (t) => {
        const site = await startSite(t, setup)
        await learn(site)
        await site.proxy.behave({
          kind: 'swap',
          stray: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
          after: 5,
        })
        for (let n = 0; n < 20; n++) {
          const viewer = { address: `192.0.2.${n + 10}`, uri: '/live/index.m3u8?token=bad' }
          assert.equal((await site.ask(viewer)).reason, 'backend-403')
          await delay(15)
        }
        assert.equal(site.lines('backend unavailable').length, 0)
      },
    )
  }
})

patientTest('when all is over, no socket and no timer is left', async (t) => {
  t.diagnostic(`${connectionFaults.length + 4} faults, each in ${variants.length} variants`)
  assert.ok(connectionFaults.length >= 26)
  await until(
    'the end of every socket and timer',
    () => resources().filter((name) => name !== 'Timeout').length === 0,
  )
  const left = resources()
  assert.ok(left.length <= 2, `left: ${left.join(' ')}`)
})
