import {
  type Deadlines,
  type Pulse,
  type SessionChange,
  type StoreEngine,
  StoreError,
  type StoreTrouble,
} from '../../../src/state/store-engine.ts'
import { createValkeyEngine } from '../../../src/state/valkey/valkey-engine.ts'
import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import { startTimer } from '../../../src/timer.ts'
import type { Scope } from '../../support/scope.ts'
import { until } from '../../support/until.ts'

/** A busy machine is no slow server; milliseconds. */
const PATIENT: Deadlines = { beat: 10_000, read: 10_000, write: 10_000, open: 10_000 }

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

export function beat(engine: StoreEngine, have = 0): Promise<Pulse> {
  return engine.beat({ entry: Buffer.from('about'), number: 0, have, most: 100_000 })
}

/** What comes of a call: `fine`, or its trouble. Anything but a `StoreError` is thrown. */
export async function troubleOf(called: Promise<unknown>): Promise<'fine' | StoreTrouble> {
  try {
    await called
    return 'fine'
  } catch (error) {
    if (error instanceof StoreError) return error.trouble
    throw error
  }
}

/** Beats until that comes of it. */
export async function untilBeat(engine: StoreEngine, wanted: 'fine' | StoreTrouble): Promise<void> {
  await until(`a heartbeat is ${wanted}`, async () => (await troubleOf(beat(engine))) === wanted, 20_000)
}

/** The name of a viewer, of a user or of a cookie. */
export function nameOf(text: string): string {
  return text.padEnd(22, '-')
}

export function changeOf(viewer: string, given: Partial<SessionChange> = {}): SessionChange {
  const value = Buffer.from('value')
  return { viewer, id: 'one', state: 'playing', value, credential: 'credentl', keepFor: 60_000, ...given }
}
