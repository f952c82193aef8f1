import { portOf, type ValkeyServer } from './valkey.ts'

/** The settings of a gate whose store is this server. */
export function storeOf(server: ValkeyServer, port?: number): Readonly<Record<string, string>> {
  if (server.address.kind === 'unix') return { STATE_URL: `unix:${server.address.path}` }
  return { STATE_URL: `valkey://127.0.0.1:${port ?? portOf(server.address)}` }
}
