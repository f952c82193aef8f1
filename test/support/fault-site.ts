import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Verdict } from '../../src/verdict.ts'
import type { GateQuestion } from './ask-gate.ts'
import { DEADLINE } from './connection-faults.ts'
import { type GetFrom, getVerdict } from './http-get.ts'
import type { Attempt } from './patient-test.ts'
import { startWatchedGate, type WatchedGate } from './readiness.ts'
import type { Scope } from './scope.ts'
import { watchStalls } from './stalls.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

/** The milliseconds that an answer may take longer than the deadline: 50, and 100 for a busy machine. */
const MARGIN = 150
/** Milliseconds after a fault in which real verdicts must be back. */
export const RECOVERY = 5_000
/** The lifetime of verdicts in milliseconds, where the fault must also meet known viewers. */
const SHORT = 200
/**
 * Milliseconds until a control question is asked anew (src/backend/control-question.ts). On a slow machine an answer
 * from before the fault would show that the backend answers others.
 */
const NEXT_CONTROL = 1_000

const ways = ['TCP', 'a Unix socket'] as const
const verdicts: readonly Verdict[] = ['allow', 'deny']
/** Each way to the gate with each default action. */
export const variants = ways.flatMap((way) => verdicts.map((defaultAction) => ({ way, defaultAction })))

/** How the gate of a test listens, and what it decides about unknown viewers. */
export interface Setup {
  readonly way: (typeof ways)[number]
  readonly defaultAction: Verdict
  /** Known verdicts expire at once, so that the backend is asked about them during the fault. */
  readonly short?: boolean
}

/** A gate before a backend that may fail, and what every answer of it must be. */
export interface FaultSite {
  readonly gate: WatchedGate
  readonly defaultAction: Verdict
  /** Asks, and asserts what holds for every answer: 200 or 403, verdict and status agree, and in time. */
  ask(viewer: GateQuestion): Promise<Told>
  lines(message: string): readonly Readonly<Record<string, unknown>>[]
}

/** What the gate told nginx. */
export interface Told {
  readonly verdict: string
  readonly source: string
  readonly reason: string
}

/** @param backendUrl of a backend that allows `token=good` alone */
export async function startFaultSite(
  scope: Scope,
  backendUrl: string,
  { way, defaultAction, short = false }: Setup,
): Promise<FaultSite> {
  const socketPath = join(makeTemporaryFolder(scope), 'gate.sock')
  const gate = await startWatchedGate(scope, {
    BACKEND_URL: backendUrl,
    BACKEND_TIMEOUT: `${DEADLINE}ms`,
    DEFAULT_ACTION: defaultAction,
    ...(short ? { ALLOW_TTL: `${SHORT}ms`, DENY_TTL: `${SHORT}ms` } : {}),
    ...(way === 'TCP' ? {} : { LISTEN: `unix:${socketPath}` }),
  })
  const from: GetFrom = way === 'TCP' ? { port: gate.port } : { socketPath }
  return {
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

export const allowed: GateQuestion = { address: '192.0.2.1', uri: '/live/index.m3u8?token=good' }
export const denied: GateQuestion = { address: '192.0.2.2', uri: '/live/index.m3u8?token=bad' }
/** An unknown viewer, with the token about which the default action is wrong. */
export const unknown = (defaultAction: Verdict, address = '192.0.2.3'): GateQuestion => ({
  address,
  uri: `/live/index.m3u8?token=${defaultAction === 'allow' ? 'bad' : 'good'}`,
})
export const opposite = (verdict: Verdict): Verdict => (verdict === 'allow' ? 'deny' : 'allow')

/** Both known viewers ask and get their verdicts. */
export async function learn({ ask }: FaultSite): Promise<void> {
  assert.equal((await ask(allowed)).reason, 'backend-200')
  assert.equal((await ask(denied)).reason, 'backend-403')
}

/** Both known viewers ask again, and must get the same verdicts. */
export async function assertKept({ ask }: FaultSite): Promise<void> {
  const [one, other] = await Promise.all([ask(allowed), ask(denied)])
  assert.equal(one.verdict, 'allow', `the known allowed viewer: ${one.reason}`)
  assert.equal(other.verdict, 'deny', `the known denied viewer: ${other.reason}`)
  for (const { source } of [one, other]) assert.notEqual(source, 'default')
}

/** The fault is over: all verdicts are real in time, and the log says so once. */
export async function assertRecovers(site: FaultSite, countViewers: () => number): Promise<void> {
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

/** @param open connections to the backend that are open now */
export async function assertNothingHeld({ gate, lines }: FaultSite, open: () => number): Promise<void> {
  await until('the questions to end', async () => {
    const { inFlight, waiting } = await gate.backend()
    return inFlight === 0 && waiting === 0
  })
  await until('connections to be few', () => open() <= 6)
  assert.equal((await gate.backend()).breaker, 'closed', 'three viewers open no breaker')
  assert.equal(lines('internal error').length, 0)
}

/** A fault that is switched on while the gate runs. */
export interface Outage {
  /** Switches it on; the result ends it. */
  readonly begin: () => Promise<() => Promise<void>>
  /** Connections to the backend that are open now. */
  readonly open: () => number
  /** The reason of the default action for unknown viewers. */
  readonly reason: RegExp
}

/** Runs a fault against a site whose verdicts are short (see `Setup`), and checks all that is required. */
export async function meetOutage(t: Attempt, site: FaultSite, outage: Outage): Promise<void> {
  const { defaultAction } = site
  await learn(site)
  await delay(NEXT_CONTROL * 1.1)
  const end = await outage.begin()
  t.after(end)
  const [{ verdict, source, reason }] = await Promise.all([
    site.ask(unknown(defaultAction)),
    assertKept(site),
  ])
  assert.deepEqual([verdict, source], [defaultAction, 'default'])
  assert.match(reason, outage.reason)
  await assertKept(site)
  assert.equal(site.lines('backend unavailable').length, 1)
  await end()
  await assertRecovers(site, () => 1)
  await assertNothingHeld(site, outage.open)
}
