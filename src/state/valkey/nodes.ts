import { randomBytes } from 'node:crypto'
import { StoreError } from '../record-store.ts'
import type { StoreNode } from '../shared-store.ts'
import type { Connect, Parameter } from './connect.ts'
import { createGuests } from './guests.ts'
import { type Beat, createNode, type Node, type NodeOptions, nameOf } from './node.ts'
import type { Script } from './scripts.ts'
import { createSlots } from './slots.ts'
import { type Primary, readTopology } from './topology.ts'
import type { ValkeyAddress, ValkeySettings } from './valkey-settings.ts'
import { isRedirection, storeErrorOf } from './valkey-trouble.ts'

export interface NodesOptions {
  readonly settings: ValkeySettings
  readonly beat: Script
  /** The key of a heartbeat, by what is between its braces. */
  readonly beatKeys: (tag: string) => readonly [gate: string, epoch: string]
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
  readonly onBeat: (beat: Beat, node: string) => void
  /** A server can be used, or cannot any more; `lasted` milliseconds it was as before. */
  readonly onChange: (node: StoreNode, lasted: number) => void
  /** A server has lost all that it knew. */
  readonly onForgotten: (node: string) => void
}

/** All servers that take writes, and which of them has a key. */
export interface Nodes {
  /** The state of each; of the Sentinels or nodes that were asked, while no server is known. */
  states(): readonly StoreNode[]
  isUsable(key: string): boolean
  /** Throws a `StoreError` while it is not open. */
  checkOpen(): void
  /** The server of a key. */
  addressOf(key: string): ValkeyAddress | undefined
  /** Rejects with a `StoreError`: at once while the server of the key is unusable. */
  call(deadline: number, key: string, name: string, parameters: readonly Parameter[]): Promise<unknown>
  run(deadline: number, key: string, script: Script, parameters: readonly Parameter[]): Promise<unknown>
  /** A command for a server, not for a key. */
  callServer(
    deadline: number,
    server: string,
    name: string,
    parameters: readonly Parameter[],
  ): Promise<unknown>
  /** Connects, and goes on to try. */
  open(connect: Connect): void
  close(): void
}

/** Milliseconds until the servers are asked for again: while one is unusable, and otherwise. */
const ASK_SOON = 500
const ASK_AGAIN = 5_000
const MOST_REDIRECTIONS = 4
const TRY_AGAIN = 50

export function createNodes(options: NodesOptions): Nodes {
  const { settings, startTimer, onChange } = options
  const nodes = new Map<string, Node>()
  const slots = createSlots()
  const epochs = new Map<string, string>()
  /** Undefined: it is not open. */
  let connect: Connect | undefined
  let asking: Promise<void> | undefined
  let cancelAsk = (): void => {}
  /** Stands for all while no server is known. */
  const unknownName = settings.nodes.map(nameOf).join(', ')
  let unknown: StoreNode = { name: unknownName, usable: false, since: options.clock() }

  const nodeOptions = (address: ValkeyAddress): NodeOptions => {
    const name = nameOf(address)
    return {
      ...options,
      connect: (...to) => (connect as Connect)(...to),
      address,
      timeout: settings.timeout,
      newEpoch: () => randomBytes(9).toString('base64url'),
      beatKeys: () => options.beatKeys(slots.tagOf(name)),
      onRedirected: () => slots.dropTagOf(name),
      onBeat(beat) {
        const before = epochs.get(beat.epochKey)
        epochs.set(beat.epochKey, beat.epoch)
        options.onBeat(beat, name)
        if (before !== undefined && before !== beat.epoch) options.onForgotten(name)
      },
      onChange(state, lasted) {
        if (!state.usable) askLater(0)
        onChange(state, lasted)
      },
    }
  }

  const guests = createGuests(
    (address) => createNode({ ...nodeOptions(address), onBeat: ignore, onChange: ignore }),
    startTimer,
  )

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void startTimer(milliseconds, resolve))

  const take = (primaries: readonly Primary[]): void => {
    const names = new Set(primaries.map(({ address }) => nameOf(address)))
    for (const [name, node] of nodes) {
      if (names.has(name)) continue
      nodes.delete(name)
      node.close()
    }
    if (settings.mode.kind === 'cluster') slots.take(primaries)
    guests.dismiss()
    for (const primary of primaries) {
      const name = nameOf(primary.address)
      if (!nodes.has(name)) nodes.set(name, createNode(nodeOptions(primary.address)))
    }
  }

  const askNow = async (): Promise<void> => {
    const mine = connect
    if (mine === undefined) return
    try {
      const working = [...nodes.values()].filter((node) => node.state().usable).map(({ address }) => address)
      const primaries = await readTopology({ ...options, connect: mine }, working)
      if (mine === connect) take(primaries)
    } catch (error) {
      if (nodes.size > 0 || mine !== connect) return
      const isFirst = unknown.message === undefined
      const { trouble, message } = storeErrorOf(error, unknownName)
      unknown = { ...unknown, trouble, message }
      if (isFirst) onChange(unknown, 0)
    }
  }

  const ask = (): Promise<void> => {
    asking ??= askNow().finally(() => {
      asking = undefined
      if (connect === undefined) return
      const isWell = nodes.size > 0 && [...nodes.values()].every((node) => node.state().usable)
      askLater(isWell ? ASK_AGAIN : ASK_SOON)
    })
    return asking
  }

  const askLater = (milliseconds: number): void => {
    cancelAsk()
    if (connect !== undefined && settings.mode.kind !== 'single')
      cancelAsk = startTimer(milliseconds, () => void ask())
  }

  const nodeOf = (key: string): Node | undefined => {
    if (settings.mode.kind !== 'cluster') return nodes.values().next().value
    return nodes.get(slots.holderOf(key) ?? '')
  }

  const checkOpen = (): void => {
    if (connect !== undefined) return
    throw new StoreError('failed', `the store at ${unknownName} is not open; open it`)
  }

  const usable = (node: Node | undefined): Node => {
    checkOpen()
    const state = node?.state() ?? unknown
    if (node !== undefined && state.usable) return node
    throw new StoreError(
      state.trouble ?? 'refused',
      state.message ?? `Valkey at ${state.name}: not connected yet`,
    )
  }

  /** Follows a key that is elsewhere, or on its way. */
  const redirected = async (
    key: string,
    act: (node: Node, asking: boolean) => Promise<unknown>,
  ): Promise<unknown> => {
    let node = usable(nodeOf(key))
    let isAsked = false
    for (let redirections = 0; ; redirections += 1) {
      try {
        return await act(node, isAsked)
      } catch (error) {
        if (!isRedirection(error) || redirections === MOST_REDIRECTIONS) throw storeErrorOf(error, node.name)
        const [word, , to = ''] = error.message.split(' ')
        isAsked = word === 'ASK'
        if (word === 'TRYAGAIN') await pause(TRY_AGAIN)
        if (word === 'MOVED') await ask()
        node = isAsked ? (nodes.get(to) ?? (await guests.get(to))) : usable(nodeOf(key))
      }
    }
  }

  return {
    states: () => (nodes.size === 0 ? [unknown] : [...nodes.values()].map((node) => node.state())),
    isUsable: (key) => nodeOf(key)?.state().usable === true,
    checkOpen,
    addressOf: (key) => nodeOf(key)?.address,
    call: async (deadline, key, name, parameters) =>
      await redirected(key, (node, isAsked) => node.call(deadline, name, parameters, isAsked)),
    run: async (deadline, key, script, parameters) =>
      await redirected(key, (node, isAsked) => node.run(deadline, script, [key], parameters, isAsked)),
    async callServer(deadline, server, name, parameters) {
      const node = usable(nodes.get(server))
      return await node.call(deadline, name, parameters)
    },
    open(next) {
      connect = next
      asking = undefined
      void ask()
    },
    close() {
      connect = undefined
      cancelAsk()
      for (const node of nodes.values()) node.close()
      nodes.clear()
      guests.dismiss()
      unknown = { name: unknownName, usable: false, since: options.clock() }
    },
  }
}

function ignore(): void {}
