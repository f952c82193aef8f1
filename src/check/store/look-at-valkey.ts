import { object, readJson, text } from '../../state/shape.ts'
import { StoreError } from '../../state/store-engine.ts'
import { type Client, createClient, nameOf } from '../../state/valkey/client.ts'
import { createValkeyEngine } from '../../state/valkey/valkey-engine.ts'
import type { ValkeySettings } from '../../state/valkey/valkey-settings.ts'
import { createVault } from '../../state/vault.ts'

/** What Valkey shows. Times are milliseconds. */
export interface LookedAtValkey {
  /** Address and port, or the path of a socket; all of them where there are several. */
  readonly name: string
  /** Why a gate could not use it. What follows is undefined then. */
  readonly trouble?: StoreError
  /** The median of some. */
  readonly roundTrip?: number
  /** How much its clock is ahead of the one of this machine. */
  readonly clockOffset?: number
  /** Its `maxmemory-policy`; undefined where this user may not ask. */
  readonly policy?: string
  /** Whether what it keeps goes to a disk; undefined where this user may not ask. */
  readonly persistence?: boolean
  /** The gates that use it now: their names, and what they say of their configuration. */
  readonly gates?: readonly { readonly name: string; readonly configuration: string }[]
  /** How many of them have another STATE_SECRET. */
  readonly strangers?: number
}

export type LookAtValkey = (settings: ValkeySettings) => Promise<LookedAtValkey>

interface LookAtValkeyOptions {
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

/** Milliseconds for each thing that is asked. */
const PATIENCE = 3_000
const DEADLINES = { beat: PATIENCE, read: PATIENCE, write: PATIENCE, open: PATIENCE }
const ROUND_TRIPS = 5
/** A gate that was not heard of for so long is gone; milliseconds. */
const FRESH = 5_000

const about = object({ name: text, configuration: text })

/** Builds the look at it. It leaves keys of one second there, and no more. */
export function createLookAtValkey({ clock, now }: LookAtValkeyOptions): LookAtValkey {
  return async (settings) => {
    const name = settings.nodes.map(nameOf).join(', ')
    const client = createClient({ settings, startTimer })
    const engine = createValkeyEngine({ settings, deadlines: DEADLINES, startTimer })
    try {
      // It tries the rights, too.
      await engine.open()
      await client.open()
      await connected(client)
      const measured = await measure(client, clock, now)
      const roster = (await engine.roster()).filter(({ age }) => age <= FRESH)
      const vault = createVault(settings.secrets, '', engine.keys)
      const gates = roster.map(({ entry }) => readJson(vault.open(entry, engine.keys.gates) ?? '', about))
      return {
        ...{ name, ...measured, ...(await readPolicy(client)), ...(await readPersistence(client)) },
        gates: gates.filter((one) => one !== undefined),
        strangers: gates.filter((one) => one === undefined).length,
      }
    } catch (error) {
      return { name, trouble: error instanceof StoreError ? error : new StoreError('failed', String(error)) }
    } finally {
      client.close()
      await engine.close()
    }
  }
}

async function connected(client: Client): Promise<void> {
  const until = performance.now() + PATIENCE
  while (!client.isConnected()) {
    if (performance.now() > until) throw client.lastError()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function measure(
  client: Client,
  clock: () => number,
  now: () => number,
): Promise<{ roundTrip: number; clockOffset: number }> {
  const trips: { took: number; offset: number }[] = []
  while (trips.length < ROUND_TRIPS) {
    const [began, wall] = [clock(), now()]
    const time = await client.call(PATIENCE, 'time', [], (reply) => {
      const [seconds, microseconds] = reply as [Buffer, Buffer]
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000
    })
    const took = clock() - began
    trips.push({ took, offset: time - (wall + took / 2) })
  }
  trips.sort((a, b) => a.took - b.took)
  return { roundTrip: trips[ROUND_TRIPS >> 1]?.took ?? 0, clockOffset: Math.round(trips[0]?.offset ?? 0) }
}

async function readPolicy(client: Client): Promise<{ policy?: string }> {
  const policy = /^maxmemory_policy:([\w-]+)/m.exec(await textOf(client, 'info', ['memory']))?.[1]
  return policy === undefined ? {} : { policy }
}

/** A server saves by its log, which INFO tells, or now and then as a whole, which only CONFIG tells. */
async function readPersistence(client: Client): Promise<{ persistence?: boolean }> {
  const log = /^aof_enabled:([01])/m.exec(await textOf(client, 'info', ['persistence']))?.[1]
  if (log === '1') return { persistence: true }
  const save = /^save,(.*)$/.exec(await textOf(client, 'config', ['GET', 'save']))?.[1]
  return save === undefined ? {} : { persistence: save !== '' }
}

/** Empty where this user may not ask. */
async function textOf(client: Client, name: string, parameters: readonly string[]): Promise<string> {
  try {
    return await client.call(PATIENCE, name, parameters, String)
  } catch (error) {
    if (error instanceof StoreError && error.trouble === 'password') return ''
    throw error
  }
}

function startTimer(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds)
  return () => clearTimeout(timer)
}
