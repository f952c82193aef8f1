import { startTimer } from '../../../src/backend/timer.ts'
import type { Deadlines, StoreEngine } from '../../../src/state/store-engine.ts'
import { createValkeyEngine } from '../../../src/state/valkey/valkey-engine.ts'
import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import type { Scope } from '../../support/scope.ts'

/** A busy machine is no slow server; milliseconds. */
export const PATIENT: Deadlines = { beat: 10_000, read: 10_000, write: 10_000, open: 10_000 }

/** An engine that is not open. */
export function makeEngine(settings: ValkeySettings, deadlines: Partial<Deadlines> = {}): StoreEngine {
  return createValkeyEngine({ settings, deadlines: { ...PATIENT, ...deadlines }, startTimer })
}

/** An open engine, which is closed with the scope. */
export async function openEngine(
  scope: Scope,
  settings: ValkeySettings,
  deadlines?: Partial<Deadlines>,
): Promise<StoreEngine> {
  const engine = makeEngine(settings, deadlines)
  scope.after(() => engine.close())
  await engine.open()
  return engine
}
