import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../test/support/free-port.ts'
import { get, getVerdict } from '../test/support/http-get.ts'
import type { Scope } from '../test/support/scope.ts'
import { gateRequests } from './gate-requests.ts'
import { CONNECTIONS, createGenerator } from './generator.ts'
import { median } from './median.ts'
import { newcomer } from './newcomers.ts'
import { cpuSeconds, rss, rssPeak } from './process-readings.ts'
import type { Progress } from './progress.ts'
import { startGate } from './start-gate.ts'

/**
 * How the number of live sessions changes the gate. Memory in MB; the peak is from the time when sessions
 * were added.
 */
export interface Sizes {
  readonly idle: number
  readonly hundredThousand: { readonly rss: number; readonly peak: number }
  readonly million: { readonly rss: number; readonly peak: number }
  /** CPU seconds of the gate per 100,000 hits. */
  readonly hitAtThousand: number
  readonly hitAtMillion: number
}

/** What is measured. */
export interface SizesOptions {
  readonly folder: string
  /** The backend's port. */
  readonly backend: number
  readonly rounds: number
  readonly seconds: number
  readonly progress: Progress
}

const THOUSAND = 1_000
const HUNDRED_THOUSAND = 100_000
const MILLION = 1_000_000
const FIRST_ANSWERS = 10
/**
 * Milliseconds until the garbage of the filling is gone: V8 collects it when it has been nearly idle for a
 * while.
 */
const SETTLE = 40_000
/** The same, after the start. */
const REST = 15_000
/** How many randomly chosen sessions are asked about in turn. */
const PICKS = 200_000
/** Sessions opened in a second, for the plan. */
const FILL_RATE = 6_000

/** Seconds that measuring takes, for the plan. */
export function sizesSeconds(rounds: number, seconds: number): number {
  return (MILLION + HUNDRED_THOUSAND) / FILL_RATE + 180 + 2 * (rounds + 1) * (seconds + 0.5)
}

/**
 * Measures the built program at three sizes. It is asked without nginx, so that all time and memory is its
 * own.
 */
export async function measureSizes(scope: Scope, options: SizesOptions): Promise<Sizes> {
  const { rounds, seconds, progress } = options
  progress.begin('memory of the gate, and with 100,000 sessions')
  const small = await startFilled(scope, options, THOUSAND)
  const middle = await startFilled(scope, options, HUNDRED_THOUSAND)
  progress.done(
    `${Math.round(middle.idle)} and ${Math.round(middle.full)} MB`,
    HUNDRED_THOUSAND / FILL_RATE + 55,
  )
  progress.begin('memory of the gate with 1,000,000 sessions')
  const large = await startFilled(scope, options, MILLION)
  progress.done(`${Math.round(large.full)} MB`, MILLION / FILL_RATE + 15)

  const costs = { small: [] as number[], large: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    progress.begin(`cost of a hit at 1,000 and 1,000,000 sessions, round ${round} of ${rounds}`)
    const pair = { small: await small.costOfHit(seconds), large: await large.costOfHit(seconds) }
    progress.done(`${pair.small.toFixed(2)} and ${pair.large.toFixed(2)} s per 100,000`, 2 * (seconds + 0.5))
    // The first run compiles the code.
    if (round === 0) continue
    costs.small.push(pair.small)
    costs.large.push(pair.large)
  }
  return {
    idle: middle.idle,
    hundredThousand: { rss: middle.full, peak: middle.peak },
    million: { rss: large.full, peak: large.peak },
    hitAtThousand: median(costs.small),
    hitAtMillion: median(costs.large),
  }
}

interface Filled {
  /** MB after the first answers and a rest; with all sessions and after a rest; and at the peak. */
  readonly idle: number
  readonly full: number
  readonly peak: number
  costOfHit(seconds: number): Promise<number>
}

async function startFilled(scope: Scope, options: SizesOptions, sessions: number): Promise<Filled> {
  const { folder, backend } = options
  const port = await findFreePort()
  const admin = await findFreePort()
  const pid = await startGate(scope, {
    name: `gate-${sessions}`,
    folder,
    backend,
    listens: port,
    env: {
      ADMIN_LISTEN: `127.0.0.1:${admin}`,
      MAX_SESSIONS: String(Math.max(sessions, HUNDRED_THOUSAND)),
      ALLOW_TTL: '1h',
      SESSION_IDLE: '1h',
      // A million lines of "decided" would take most of the time of the filling.
      LOG_LEVEL: 'warn',
    },
  })
  const opened = async (): Promise<number> => {
    const { sessions } = JSON.parse((await get({ port: admin }, '/readyz')).body) as {
      sessions: { live: number }
    }
    return sessions.live
  }
  const known = newcomer(gateRequests, 0)
  const load = { port, connections: CONNECTIONS }

  const play = (requests: readonly string[], every: number) =>
    createGenerator(scope, folder, { known: requests, newcomers: gateRequests, every })
  // Refused requests, which open no session.
  for (let answer = 0; answer < FIRST_ANSWERS; answer++) await getVerdict({ port })
  await delay(REST)
  const idle = rss(pid)

  const through = new AbortController()
  const filling = play([known], 1).run({
    ...load,
    seconds: 600,
    first: 0,
    last: sessions - 1,
    signal: through.signal,
  })
  const watch = async (): Promise<void> => {
    while (!through.signal.aborted) {
      if ((await opened()) >= sessions) through.abort()
      await delay(100)
    }
  }
  await Promise.all([filling.finally(() => through.abort()), watch()])
  const live = await opened()
  if (live < sessions) throw new Error(`the gate holds ${live} sessions, not ${sessions}`)
  await delay(SETTLE)
  const full = rss(pid)
  const peak = rssPeak(pid)

  const picks = Array.from({ length: PICKS }, () =>
    newcomer(gateRequests, 1 + Math.floor(Math.random() * (sessions - 1))),
  )
  const hits = play(picks, 0)
  const costOfHit = async (seconds: number): Promise<number> => {
    const before = cpuSeconds(pid)
    const { requests, refused } = await hits.run({ ...load, seconds, first: 0 })
    if (refused > 0) throw new Error(`${refused} of ${requests} viewers with a session were refused`)
    const cost = ((cpuSeconds(pid) - before) / requests) * 100_000
    if ((await opened()) !== live) throw new Error('these were no hits: there are more sessions now')
    return cost
  }
  return { idle, full, peak, costOfHit }
}
