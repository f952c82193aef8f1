import type { ValkeyAddress } from '../../src/state/valkey/valkey-settings.ts'
import { portOf, type ValkeyServer } from './valkey.ts'

type Store = Readonly<Record<string, string>>

/**
 * The settings of a gate whose store is this server; `user` with its password, `port` of a proxy before it.
 */
export function storeOf(
  { address }: ValkeyServer,
  { port, user }: { readonly port?: number; readonly user?: string } = {},
): Store {
  if (address.kind === 'unix') return { STATE_URL: `unix:${address.path}` }
  const account = user === undefined ? '' : `${user}@`
  return { STATE_URL: `valkey://${account}127.0.0.1:${port ?? portOf(address)}` }
}

export function clusterOf(servers: readonly ValkeyServer[]): Store {
  return { STATE_MODE: 'cluster', STATE_URL: urls(servers.map(({ address }) => address)) }
}

/** Of `startWithSentinels`. */
export function sentinelOf(sentinels: readonly ValkeyAddress[]): Store {
  return { STATE_MODE: 'sentinel:test', STATE_URL: urls(sentinels) }
}

function urls(addresses: readonly ValkeyAddress[]): string {
  return addresses.map((address) => `valkey://127.0.0.1:${portOf(address)}`).join(' ')
}
