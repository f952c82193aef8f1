import type { StoreError } from '../../state/record-store.ts'
import { type Connect, type Connection, loadClient } from '../../state/valkey/connect.ts'
import { nameOf } from '../../state/valkey/node.ts'
import { probeRights } from '../../state/valkey/probe-rights.ts'
import { readTopology } from '../../state/valkey/topology.ts'
import type { ValkeyAddress, ValkeySettings } from '../../state/valkey/valkey-settings.ts'
import { isRedirection, lateError, storeErrorOf } from '../../state/valkey/valkey-trouble.ts'

/** What one server of Valkey shows. Times are milliseconds. */
export interface LookedAtValkey {
  /** Address and port, or the path of a socket; all of them while no server is known. */
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
}

export type LookAtValkey = (settings: ValkeySettings) => Promise<readonly LookedAtValkey[]>

export interface LookAtValkeyOptions {
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

/** Milliseconds for all that is asked of one server. */
const PATIENCE = 3_000
const ROUND_TRIPS = 5

/** Builds the look at all servers that take writes. It leaves keys of one second there, and no more. */
export function createLookAtValkey({ clock, now }: LookAtValkeyOptions): LookAtValkey {
  const lookAt = async (
    connect: Connect,
    address: ValkeyAddress,
    prefix: string,
  ): Promise<LookedAtValkey> => {
    const name = nameOf(address)
    try {
      return await connected(connect, address, async ({ call }) => {
        const { roundTrip, clockOffset } = await measure(call, clock, now)
        await probeRights(call, prefix).catch((error: unknown) => {
          // Another node of the cluster has the key.
          if (!isRedirection(error)) throw error
        })
        return { name, roundTrip, clockOffset, ...(await readPolicy(call)), ...(await readPersistence(call)) }
      })
    } catch (error) {
      return { name, trouble: storeErrorOf(error, name) }
    }
  }

  return async (settings) => {
    try {
      const connect = await loadClient(settings)
      const primaries = await readTopology({ settings, connect, startTimer }, [])
      return await Promise.all(primaries.map(({ address }) => lookAt(connect, address, settings.prefix)))
    } catch (error) {
      const name = settings.nodes.map(nameOf).join(', ')
      return [{ name, trouble: storeErrorOf(error, name) }]
    }
  }
}

/** Does something on a connection of its own. Rejects with a `StoreError` or what the server says. */
async function connected<Result>(
  connect: Connect,
  address: ValkeyAddress,
  act: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  let opened: Connection | undefined
  let cancel = (): void => {}
  try {
    return await new Promise<Result>((resolve, reject) => {
      const connection = connect(address, {
        signIn: true,
        // A refused password ends the connection, and all that was asked on it.
        onReady: () =>
          act(connection).then(resolve, (error: unknown) => reject(connection.lastError() ?? error)),
        onLost: () => reject(connection.lastError() ?? new Error('connection is closed')),
      })
      opened = connection
      cancel = startTimer(PATIENCE, () => reject(connection.lastError() ?? lateError(nameOf(address))))
    })
  } finally {
    cancel()
    opened?.close()
  }
}

async function measure(
  call: Connection['call'],
  clock: () => number,
  now: () => number,
): Promise<{ roundTrip: number; clockOffset: number }> {
  const trips: { took: number; offset: number }[] = []
  while (trips.length < ROUND_TRIPS) {
    const [began, wall] = [clock(), now()]
    const [seconds, microseconds] = (await call('TIME', [])) as [Buffer, Buffer]
    const took = clock() - began
    trips.push({ took, offset: Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (wall + took / 2) })
  }
  trips.sort((a, b) => a.took - b.took)
  return { roundTrip: trips[ROUND_TRIPS >> 1]?.took ?? 0, clockOffset: Math.round(trips[0]?.offset ?? 0) }
}

async function readPolicy(call: Connection['call']): Promise<{ policy?: string }> {
  const policy = /^maxmemory_policy:([\w-]+)/m.exec(await textOf(call, 'INFO', ['memory']))?.[1]
  return policy === undefined ? {} : { policy }
}

/** A server saves by its log, which INFO tells, or now and then as a whole, which only CONFIG tells. */
async function readPersistence(call: Connection['call']): Promise<{ persistence?: boolean }> {
  const log = /^aof_enabled:([01])/m.exec(await textOf(call, 'INFO', ['persistence']))?.[1]
  if (log === '1') return { persistence: true }
  const save = /^save,(.*)$/.exec(await textOf(call, 'CONFIG', ['GET', 'save']))?.[1]
  return save === undefined ? {} : { persistence: save !== '' }
}

/** Empty where this user may not ask. */
async function textOf(
  call: Connection['call'],
  name: string,
  parameters: readonly string[],
): Promise<string> {
  try {
    return String(await call(name, parameters))
  } catch (error) {
    if (storeErrorOf(error, '').trouble === 'password') return ''
    throw error
  }
}

function startTimer(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds)
  return () => clearTimeout(timer)
}
