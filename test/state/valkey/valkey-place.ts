import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import {
  createValkeyStore,
  type ValkeyStore,
  type ValkeyStoreOptions,
} from '../../../src/state/valkey/valkey-store.ts'
import { startTimer } from '../../../src/timer.ts'
import type { Scope } from '../../support/scope.ts'
import { until } from '../../support/until.ts'
import { settingsFor, startValkey, type ValkeyServer } from '../../support/valkey.ts'

/** A server, for one store after another. */
export interface ValkeyPlace {
  readonly server: ValkeyServer
  create(settings?: Partial<ValkeySettings>, options?: Partial<ValkeyStoreOptions>): ValkeyStore
  /** As `create`, and opened; it is closed with the scope. */
  open(settings?: Partial<ValkeySettings>, options?: Partial<ValkeyStoreOptions>): Promise<ValkeyStore>
  /** Lets so many milliseconds of the server's clock pass, for stores that this has created. */
  pass(milliseconds: number): Promise<void>
}

/** A key with milliseconds that have passed, as the scripts of these tests see them. */
const PASSED = 'pretended'
const luaTime = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000) + (redis.call('GET', '${PASSED}') or 0)`

export async function makeValkeyPlace(
  scope: Scope,
  server?: ValkeyServer,
  more: Partial<ValkeySettings> = {},
): Promise<ValkeyPlace> {
  const running = server ?? (await startValkey(scope, { unix: true }))
  const stores: ValkeyStore[] = []
  const create: ValkeyPlace['create'] = (settings = {}, options = {}) => {
    const store = makeStore(settingsFor([running], { ...more, ...settings }), { luaTime, ...options })
    stores.push(store)
    return store
  }
  return {
    server: running,
    create,
    async open(settings, options) {
      const store = create(settings, options)
      scope.after(() => store.close())
      await store.open()
      return store
    },
    async pass(milliseconds) {
      const open = stores.filter((store) => store.nodes().some(({ usable }) => usable))
      const before = open.map((store) => store.now())
      await running.cli('INCRBY', PASSED, String(milliseconds))
      await until('a heartbeat', () =>
        open.every((store, n) => store.now() - (before[n] ?? 0) >= milliseconds),
      )
    },
  }
}

export function makeStore(settings: ValkeySettings, options: Partial<ValkeyStoreOptions> = {}): ValkeyStore {
  return createValkeyStore({
    settings,
    configuration: 'one',
    clock: () => performance.now(),
    wall: () => Date.now(),
    startTimer,
    // A busy machine is no slow server.
    deadline: 20_000,
    ...options,
  })
}
