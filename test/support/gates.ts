import type { Environment } from '../../src/config/read-settings.ts'
import { type AdminAnswer, askAdmin } from './admin-gate.ts'
import { type Gate, startGate } from './gate.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'
import { portOf, startValkey, type ValkeyServer } from './valkey.ts'

/** Gates that share a Valkey. */
export interface Gates {
  readonly valkey: ValkeyServer
  /** @param more settings of this gate alone */
  add(name: string, more?: Environment): Promise<NamedGate>
}

export interface NamedGate {
  readonly name: string
  readonly gate: Gate
  /** `'GET /sessions?limit=1'`, asked at its admin listener. */
  admin(what: string): Promise<AdminAnswer>
}

/** What `/readyz` says of the gates. */
export interface ReadyGates {
  readonly gates: {
    readonly name: string
    readonly away: boolean
    readonly all: readonly { readonly name: string; readonly sessions: number; readonly seen: number }[]
    readonly misfits: readonly string[]
  }
}

async function createGates(scope: Scope, environment: Environment): Promise<Gates> {
  const valkey = await startValkey(scope)
  return {
    valkey,
    async add(name, more = {}) {
      const gate = await startGate(scope, {
        ...{
          ADMIN_LISTEN: '127.0.0.1:0',
          GATE_NAME: name,
          STATE_SECRET: 'a-secret-of-thirty-two-characters-',
        },
        STATE_URL: `valkey://127.0.0.1:${portOf(valkey.address)}`,
        // A busy machine is no slow server.
        STATE_TIMEOUT: '1s',
        ...environment,
        ...more,
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
  const gates = await createGates(scope, environment)
  const all: NamedGate[] = []
  for (const name of names) all.push(await gates.add(name))
  for (const { admin } of all)
    await until(
      'the gates to know each other',
      async () => ((await admin('GET /readyz')).json as ReadyGates).gates.all.length === names.length,
      30_000,
    )
  return { ...gates, all: all as { readonly [At in keyof Names]: NamedGate } }
}
