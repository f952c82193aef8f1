import { type Backend, startBackend } from './backend.ts'
import { type KeptGate, startKeptGate } from './kept-gate.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { createOneTimeTokens, type OneTimeTokens } from './one-time-tokens.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

/** An nginx with the shipped files, and a gate of its own. */
export interface Edge {
  readonly gate: KeptGate
  readonly nginx: Nginx
}

/** Edges that share a store, and a backend that allows each token once. */
export interface Edges {
  readonly backend: Backend
  readonly tokens: OneTimeTokens
  readonly edges: readonly [Edge, Edge]
  /** Waits until each gate says that its store can be used. */
  untilUsable(patience?: number): Promise<void>
}

/** Channels for players of HLS, one file that takes minutes, and one that is there at once. */
const files: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['one', 'two', 'three'].flatMap((channel) => [
      [`/live/${channel}/index.m3u8`, '#EXTM3U\n'],
      [`/live/${channel}/1.ts`, 'G'],
    ]),
  ),
  '/cookie/one/index.m3u8': '#EXTM3U\n',
  '/cookie/one/1.ts': 'G',
  '/mpegts/one': 'G',
  '/long/one': 'G'.repeat(100_000),
}

const server = `
  location / { LOCATION }
  location /cookie/ { LOCATION COOKIE }
  location /long/ { LOCATION limit_rate 500; }
`

/** The settings of all gates beside those of the store. */
export function edgeSettings(backend: Pick<Backend, 'url'>): Readonly<Record<string, string>> {
  return {
    BACKEND_URL: `${backend.url}/auth`,
    STATE_SECRET: 'a-secret-of-thirty-two-characters-',
    // It is in the process of the test, which a busy machine may keep from running for a while.
    BACKEND_TIMEOUT: '8s',
  }
}

/**
 * @param stores the settings of the store as each gate has them; `settings` are those of both
 * @param areAllBehind behind each nginx there are both gates
 */
export async function startEdges(
  scope: Scope,
  stores: readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>],
  settings: Readonly<Record<string, string>> = {},
  areAllBehind = false,
): Promise<Edges> {
  const backend = await startBackend(scope)
  const tokens = createOneTimeTokens()
  backend.answer = tokens.answer
  const start = (store: Readonly<Record<string, string>>): Promise<KeptGate> =>
    startKeptGate(scope, {
      ...edgeSettings(backend),
      ...{ ...settings, ...store },
    })
  const gates = await Promise.all([start(stores[0]), start(stores[1])])
  const before = async (gate: KeptGate): Promise<Edge> => ({
    gate,
    nginx: await startNginxBefore(
      scope,
      areAllBehind ? [gate, ...gates.filter((one) => one !== gate)] : [gate],
    ),
  })
  const edges = await Promise.all([before(gates[0]), before(gates[1])])
  return {
    backend,
    tokens,
    edges,
    untilUsable: (patience) =>
      until(
        'both gates can use their store',
        async () => {
          const states = await Promise.all(edges.map(({ gate }) => isUsable(gate)))
          return states.every(Boolean)
        },
        patience,
      ),
  }
}

/** An edge that shares nothing, with a backend of its own. */
export interface LonelyEdge extends Edge {
  readonly tokens: OneTimeTokens
}

export async function startLonelyEdge(scope: Scope): Promise<LonelyEdge> {
  const backend = await startBackend(scope)
  const tokens = createOneTimeTokens()
  backend.answer = tokens.answer
  const gate = await startKeptGate(scope, {
    ...{ ...edgeSettings(backend), STATE_URL: 'off' },
  })
  return { gate, tokens, nginx: await startNginxBefore(scope, [gate]) }
}

function startNginxBefore(scope: Scope, gates: readonly KeptGate[]): Promise<Nginx> {
  return startNginx(scope, {
    gates: gates.map(({ environment }) => `${environment['LISTEN']}`),
    files,
    server,
  })
}

/** Its store can be used, and so can each server of it. */
async function isUsable(gate: KeptGate): Promise<boolean> {
  const { json } = await gate.admin('GET /readyz')
  const { state } = json as { state?: { usable?: boolean; why?: string } }
  return state?.usable === true && state.why === undefined
}
