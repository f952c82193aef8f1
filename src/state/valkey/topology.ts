import { StoreError } from '../record-store.ts'
import type { Connect, Connection } from './connect.ts'
import { nameOf } from './node.ts'
import type { ValkeyAddress, ValkeySettings } from './valkey-settings.ts'
import { lateError, storeErrorOf } from './valkey-trouble.ts'

/** A server that takes writes, and the slots of a cluster that it holds, first and last. */
export interface Primary {
  readonly address: ValkeyAddress
  readonly slots: readonly (readonly [first: number, last: number])[]
}

export interface TopologyOptions {
  readonly settings: Pick<ValkeySettings, 'mode' | 'nodes'>
  readonly connect: Connect
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
}

/** Milliseconds for one server that is asked, connection and all. */
const PATIENCE = 1_000
const ALL_SLOTS = [[0, 16_383]] as const

/**
 * Asks for the servers that take writes: nobody where there is one server, Sentinels, or the nodes of a
 * cluster, those first that are known to work. Rejects with a `StoreError` when none of them tells.
 */
export async function readTopology(
  { settings: { mode, nodes }, connect, startTimer }: TopologyOptions,
  known: readonly ValkeyAddress[],
): Promise<readonly Primary[]> {
  if (mode.kind === 'single') return nodes.slice(0, 1).map((address) => ({ address, slots: ALL_SLOTS }))
  const ask = async (
    address: ValkeyAddress,
    signIn: boolean,
    name: string,
    parameters: readonly string[],
  ): Promise<unknown> => {
    let opened: Connection | undefined
    let cancel = (): void => {}
    try {
      return await new Promise((resolve, reject) => {
        const connection = connect(address, {
          signIn,
          onReady: () => connection.call(name, parameters).then(resolve, reject),
          onLost: () => reject(connection.lastError() ?? new Error('connection is closed')),
        })
        opened = connection
        cancel = startTimer(PATIENCE, () => reject(lateError(nameOf(address))))
      })
    } finally {
      cancel()
      opened?.close()
    }
  }

  /** Sentinels often have no password where the servers have one. */
  const askSentinel = async (address: ValkeyAddress, name: string): Promise<readonly Primary[]> => {
    const command = ['get-master-addr-by-name', name]
    const reply = await ask(address, false, 'SENTINEL', command).catch((error: unknown) => {
      if (storeErrorOf(error, nameOf(address)).trouble !== 'password') throw error
      return ask(address, true, 'SENTINEL', command)
    })
    const primary = addressOf(reply, address)
    if (primary === undefined)
      throw new StoreError(
        'failed',
        `the Sentinel at ${nameOf(address)} knows no servers of the name in STATE_MODE; correct it`,
      )
    return [{ address: primary, slots: ALL_SLOTS }]
  }

  const askNode = async (address: ValkeyAddress): Promise<readonly Primary[]> => {
    const primaries = primariesOf(await ask(address, true, 'CLUSTER', ['SLOTS']), address)
    if (primaries.length > 0) return primaries
    throw new StoreError(
      'failed',
      `Valkey at ${nameOf(address)}: its cluster serves no slots; look at CLUSTER INFO`,
    )
  }

  let why: unknown
  for (const address of mode.kind === 'cluster' ? unique([...known, ...nodes]) : nodes) {
    try {
      return mode.kind === 'cluster' ? await askNode(address) : await askSentinel(address, mode.name)
    } catch (error) {
      why ??= storeErrorOf(error, nameOf(address))
    }
  }
  throw why
}

/** What CLUSTER SLOTS tells: ranges, each with its primary before its replicas. */
function primariesOf(reply: unknown, asked: ValkeyAddress): readonly Primary[] {
  const ranges = new Map<string, { address: ValkeyAddress; slots: [number, number][] }>()
  for (const range of Array.isArray(reply) ? reply : []) {
    const [first, last, primary] = range as [number, number, unknown]
    const address = addressOf(primary, asked)
    if (address === undefined) continue
    const known = ranges.get(nameOf(address)) ?? { address, slots: [] }
    known.slots.push([first, last])
    ranges.set(nameOf(address), known)
  }
  return [...ranges.values()]
}

/** A node that does not know its own name is where it was asked. */
function addressOf(reply: unknown, asked: ValkeyAddress): ValkeyAddress | undefined {
  if (!Array.isArray(reply) || reply.length < 2) return undefined
  const said = String(reply[0] ?? '')
  const isUnknown = said === '' || said === '?'
  const host = isUnknown && asked.kind === 'tcp' ? asked.host : said
  return { kind: 'tcp', host, port: Number(reply[1]) }
}

function unique(addresses: readonly ValkeyAddress[]): readonly ValkeyAddress[] {
  return [...new Map(addresses.map((address) => [nameOf(address), address])).values()]
}
