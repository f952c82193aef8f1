import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from '../../test/support/free-port.ts'
import type { Scope } from '../../test/support/scope.ts'
import { gateRequests } from '../gate-requests.ts'
import { CONNECTIONS, createGenerator, type Generator } from '../generator.ts'
import { startBackend } from '../grounds.ts'
import { median } from '../median.ts'
import { newcomer } from '../newcomers.ts'
import { cpuSeconds } from '../process-readings.ts'
import type { Progress } from '../progress.ts'
import { startGate } from '../start-gate.ts'
import { startValkey, type Valkey } from '../start-valkey.ts'
import { type OpeningCost, type OpeningKind, openingKinds } from './figures.ts'

export interface OpeningsOptions {
  readonly folder: string
  readonly rounds: number
  /** Seconds of one run. */
  readonly seconds: number
  readonly progress: Progress
}

const MILLION = 1_000_000
/** Milliseconds in which a gate writes behind what it has opened. */
const SETTLE = 1_000
/** The most newcomers of one run, and the fewest: with less, code is not compiled yet. */
const NUMBERS_A_RUN = 200_000
const FEWEST = 5_000

export function openingsSeconds(rounds: number, seconds: number): number {
  return 4 + openingKinds.length * (rounds + 1) * (seconds + 1.5)
}

/**
 * Every request is a new viewer, to gates without and with a Valkey, for whom the backend names a limit or
 * not. They are asked without nginx, in turn, so that all CPU time is their own.
 */
export async function measureOpenings(
  scope: Scope,
  options: OpeningsOptions,
): Promise<Readonly<Record<OpeningKind, OpeningCost>>> {
  const { folder, rounds, seconds, progress } = options
  const generator = createGenerator(scope, folder, {
    known: [newcomer(gateRequests, 0)],
    newcomers: gateRequests,
    every: 1,
  })
  const backends = [await startBackend(scope, folder, 0), await startBackend(scope, folder, 0, true)]
  const runs: (() => Promise<OpeningCost>)[] = []
  for (const kind of openingKinds) {
    const backend = backends[kind.endsWith('Limited') ? 1 : 0]?.port ?? 0
    const start = { folder, backend, kind, generator, seconds }
    runs.push(await startKind(scope, start))
  }
  const costs = Object.fromEntries(openingKinds.map((kind) => [kind, [] as OpeningCost[]]))
  for (let round = 0; round <= rounds; round++)
    for (const [at, kind] of openingKinds.entries()) {
      progress.begin(`openings, ${kind}, round ${round} of ${rounds}`)
      const cost = (await runs[at]?.()) as OpeningCost
      progress.done(`${Math.round(cost.gate)} µs of the gate, ${Math.round(cost.perSecond)}/s`, seconds + 1.5)
      // The first run compiles the code.
      if (round > 0) costs[kind]?.push(cost)
    }
  const middle = (kind: OpeningKind): OpeningCost => {
    const of = (read: (cost: OpeningCost) => number): number => median((costs[kind] ?? []).map(read))
    return {
      gate: of(({ gate }) => gate),
      valkey: of(({ valkey }) => valkey),
      perSecond: of(({ perSecond }) => perSecond),
    }
  }
  return Object.fromEntries(openingKinds.map((kind) => [kind, middle(kind)])) as Record<
    OpeningKind,
    OpeningCost
  >
}

interface KindOptions {
  readonly folder: string
  readonly backend: number
  readonly kind: OpeningKind
  readonly generator: Generator
  readonly seconds: number
}

async function startKind(
  scope: Scope,
  { folder: parent, backend, kind, generator, seconds }: KindOptions,
): Promise<() => Promise<OpeningCost>> {
  const folder = mkdtempSync(join(parent, `${kind}-`))
  const valkey: Valkey | undefined = kind.startsWith('shared') ? await startValkey(scope, folder) : undefined
  const port = await findFreePort()
  const gate = await startGate(scope, {
    ...{ name: 'gate', folder, backend, listens: port },
    env: {
      ...{ MAX_SESSIONS: String(MILLION), ALLOW_TTL: '1h', SESSION_IDLE: '1h', LOG_LEVEL: 'warn' },
      STATE_URL: valkey === undefined ? 'off' : `unix:${valkey.socket}`,
      ...(valkey && { STATE_SECRET: 'a-secret-for-the-bench-and-for-nothing-else' }),
      // A busy machine is no dead Valkey.
      STATE_TIMEOUT: '1s',
    },
  })
  let first = 0
  const valkeySeconds = async (): Promise<number> => (await valkey?.cpuSeconds()) ?? 0
  return async () => {
    first += NUMBERS_A_RUN
    const before = { gate: cpuSeconds(gate), valkey: await valkeySeconds() }
    let [requests, took] = [0, 0]
    while (requests < FEWEST) {
      const run = await generator.run({
        ...{ port, seconds, connections: CONNECTIONS, first: first + requests },
      })
      if (run.refused > 0) throw new Error(`${run.refused} of ${run.requests} new viewers were refused`)
      requests += run.requests
      took += run.requests / run.perSecond
    }
    // What is written behind belongs to the opening.
    await new Promise((resolve) => setTimeout(resolve, SETTLE))
    const per = (after: number, begun: number): number => ((after - begun) / requests) * MILLION
    return {
      gate: per(cpuSeconds(gate), before.gate),
      valkey: per(await valkeySeconds(), before.valkey),
      perSecond: requests / took,
    }
  }
}
