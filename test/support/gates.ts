import type { Environment } from '../../src/config/read-settings.ts'
import { type AdminAnswer, askAdmin } from './admin-gate.ts'
import { type Gate, startGate } from './gate.ts'
import type { Scope } from './scope.ts'
import { createSharedPlace, type SharedPlace } from './shared-place.ts'
import { until } from './until.ts'

/** Gates that speak to each other as they would through Valkey. Each keeps its own sessions. */
export interface Gates {
  readonly place: SharedPlace
  add(name: string): Promise<NamedGate>
}

export interface NamedGate {
  readonly name: string
  readonly gate: Gate
  /** `'GET /sessions?limit=1'`, asked at its admin listener. */
  admin(what: string): Promise<AdminAnswer>
}

/** What this process calls 0 in store time. */
const EPOCH = 1_700_000_000_000

export function createGates(scope: Scope, environment: Environment): Gates {
  const place = createSharedPlace(() => performance.now())
  return {
    place,
    async add(name) {
      const gate = await startGate(scope, { ADMIN_LISTEN: '127.0.0.1:0', ...environment }, undefined, {
        ...{ shared: place.join(name), name },
        toStoreTime: (monotonic) => EPOCH + monotonic,
        after(milliseconds, act) {
          const timer = setTimeout(act, milliseconds).unref()
          return () => clearTimeout(timer)
        },
      })
      return { name, gate, admin: (what) => askAdmin({ port: gate.adminPort }, what) }
    },
  }
}

/** Gates of these names, which have heard of each other. */
export async function startGates<Names extends readonly string[]>(
  scope: Scope,
  environment: Environment,
  names: Names,
): Promise<Gates & { readonly all: { readonly [At in keyof Names]: NamedGate } }> {
  const gates = createGates(scope, environment)
  const all: NamedGate[] = []
  for (const name of names) all.push(await gates.add(name))
  for (const { admin } of all)
    await until(
      'the gates to know each other',
      async () => {
        const { gates: answered } = (await admin('GET /sessions?limit=1')).json as { gates: unknown[] }
        return answered.length === names.length
      },
      30_000,
    )
  return { ...gates, all: all as { readonly [At in keyof Names]: NamedGate } }
}
