import type { SessionRecord } from '../../src/state/record.ts'
import type { SessionChange } from '../../src/state/store-engine.ts'
import type { UserTexts } from '../../src/state/user-texts.ts'
import { createValkeyEngine } from '../../src/state/valkey/valkey-engine.ts'
import { createVault } from '../../src/state/vault.ts'
import { startTimer } from '../../src/timer.ts'
import type { Scope } from '../../test/support/scope.ts'
import type { Valkey } from '../start-valkey.ts'

/** A busy machine is no dead Valkey. */
const TIMEOUT = 60_000

/** A record to write. */
export interface Write {
  readonly record: SessionRecord
  /** Milliseconds since 1970 after which nobody needs it. */
  readonly expiresAt: number
}

/** The store of the product, as a gate uses it. */
export interface BenchStore {
  now(): number
  write(writes: readonly Write[]): Promise<unknown>
  remove(records: readonly Pick<SessionRecord, 'viewer' | 'id'>[]): Promise<unknown>
  /** As a miss: the ids of a viewer, and their records. */
  recall(viewer: string): Promise<readonly unknown[]>
  beat(): Promise<unknown>
  readonly users: Pick<UserTexts, 'read' | 'write'>
}

/** Over a Unix socket. */
export async function openStore(scope: Scope, { socket }: Valkey): Promise<BenchStore> {
  const secrets = ['a-secret-for-the-bench-and-for-nothing-else']
  const engine = createValkeyEngine({
    settings: {
      ...{ mode: { kind: 'single' }, nodes: [{ kind: 'unix', path: socket }], tls: false, database: 0 },
      ...{ prefix: 'alta-auth:', secrets, timeout: TIMEOUT },
    },
    deadlines: { beat: TIMEOUT, read: TIMEOUT, write: TIMEOUT, open: TIMEOUT },
    startTimer,
  })
  scope.after(() => engine.close())
  await engine.open()
  const vault = createVault(secrets, 'bench', engine.keys)
  const changeOf = ({ record, expiresAt }: Write): SessionChange => ({
    ...{ viewer: vault.viewer(record.viewer), id: record.id, state: record.silent ? 'silent' : 'playing' },
    ...{ value: vault.record(record), credential: vault.credential(record.query, undefined) },
    keepFor: Math.max(1, expiresAt - Date.now()),
  })
  const about = vault.seal(JSON.stringify({ name: 'bench' }), engine.keys.gates)
  return {
    now: Date.now,
    write: (writes) => engine.write(writes.map(changeOf)),
    remove: (records) => engine.drop(records.map(({ viewer, id }) => ({ viewer: vault.viewer(viewer), id }))),
    async recall(viewer) {
      const name = vault.viewer(viewer)
      const ids = (await engine.list(name)).map(({ id }) => id)
      const values = ids.length === 0 ? [] : await engine.read(name, ids)
      return values.map((value, at) => value && vault.readSession(name, ids[at] as string, value))
    },
    beat: () => engine.beat({ entry: about, number: 0, have: 0, most: 1_000 }),
    users: {
      async read(user) {
        const version = await engine.readUser(vault.user(user))
        return version && { text: '', version }
      },
      async write(user, text, before, keepFor) {
        const name = vault.user(user)
        const version = vault.seal(text, engine.keys.user(name))
        return (await engine.replaceUser(name, before?.version, version, keepFor))
          ? { text, version }
          : undefined
      },
    },
  }
}
