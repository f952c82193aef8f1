import { randomBytes } from 'node:crypto'
import { createKeys } from '../keys.ts'
import type { Deadlines, StoreEngine, StoreError } from '../store-engine.ts'
import { createClient } from './client.ts'
import { createSessions } from './sessions.ts'
import { createShared } from './shared.ts'
import { createUsers } from './users.ts'
import type { ValkeySettings } from './valkey-settings.ts'

interface ValkeyEngineOptions {
  readonly settings: ValkeySettings
  readonly deadlines: Deadlines
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
  /** This process among all gates; a random name unless given. */
  readonly gate?: string
}

/** Milliseconds between two looks whether the server can be used. */
const LOOK_EVERY = 10

/** The store of many machines: Valkey, or Redis. */
export function createValkeyEngine(options: ValkeyEngineOptions): StoreEngine {
  const { settings, deadlines, startTimer } = options
  const gate = options.gate ?? randomBytes(16).toString('base64url')
  const keys = createKeys(settings.prefix)
  const client = createClient({ settings, startTimer })
  const part = { client, keys, deadlines, gate, prefix: settings.prefix }
  let mayUse = false

  /** Whether the rights suffice is tried once; the second time the script is called by its digest. */
  const probe = async (): Promise<undefined> => {
    const probed = ['text', 'hash', 'list'].map((kind) => `${keys.gates}:probe:${kind}`)
    for (let turn = 0; turn < 2; turn += 1)
      await client.run(deadlines.open, 'probe', probed, [], () => undefined)
    mayUse = true
  }

  /** Resolves when it can be used, or `isLate`. */
  const whenUsable = async (isLate: () => boolean): Promise<void> => {
    while (!isLate()) {
      const isConnected = client.isConnected()
      if (isConnected && mayUse) return
      const why = isConnected ? await probe().catch((error: StoreError) => error) : client.lastError()
      if (why === undefined) return
      // A password does not become right by waiting. Whatever else keeps it from connecting may pass.
      if (why.trouble === 'password' || (isConnected && why.trouble !== 'refused')) throw why
      await new Promise<void>((resolve) => void startTimer(LOOK_EVERY, resolve))
    }
    throw client.lastError()
  }

  return {
    keys,
    gate,
    isShared: true,
    isParted: settings.mode.kind === 'cluster',
    async open() {
      await client.open()
      let isLate = false
      const cancel = startTimer(deadlines.open, () => {
        isLate = true
      })
      await whenUsable(() => isLate).finally(cancel)
      return undefined
    },
    async close() {
      client.close()
    },
    ...createSessions(part),
    ...createShared(part),
    ...createUsers(part),
  }
}
