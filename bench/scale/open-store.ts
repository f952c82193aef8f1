import { createValkeyStore, type ValkeyStore } from '../../src/state/valkey/valkey-store.ts'
import { startTimer } from '../../src/timer.ts'
import type { Scope } from '../../test/support/scope.ts'
import type { Valkey } from '../start-valkey.ts'

/** A busy machine is no dead Valkey. */
const TIMEOUT = 60_000

/** The store of the product, over a Unix socket. */
export async function openStore(scope: Scope, { socket }: Valkey): Promise<ValkeyStore> {
  const store = createValkeyStore({
    settings: {
      ...{ mode: { kind: 'single' }, nodes: [{ kind: 'unix', path: socket }], tls: false, database: 0 },
      ...{ prefix: 'alta-auth:', secrets: ['a-secret-for-the-bench-and-for-nothing-else'], timeout: TIMEOUT },
    },
    configuration: 'bench',
    clock: () => performance.now(),
    wall: Date.now,
    startTimer,
  })
  scope.after(() => store.close())
  await store.open()
  return store
}
