import { randomBytes } from 'node:crypto'
import { createRecordFormat } from '../record-format.ts'
import { StoreError } from '../record-store.ts'
import { createSeal } from '../seal.ts'
import type { SharedStore, StoreNode } from '../shared-store.ts'
import { type Connect, loadClient } from './connect.ts'
import { createNodes } from './nodes.ts'
import { createRecordFields } from './record-fields.ts'
import { createRecordSlices } from './record-slices.ts'
import { createScripts } from './scripts.ts'
import { createServerTime } from './server-time.ts'
import { createValkeyGates } from './valkey-gates.ts'
import { createKeys } from './valkey-keys.ts'
import { createValkeyMarks } from './valkey-marks.ts'
import { createValkeyMessages } from './valkey-messages.ts'
import { createValkeyRecords } from './valkey-records.ts'
import { createValkeyReplies } from './valkey-replies.ts'
import type { ValkeySettings } from './valkey-settings.ts'
import { createValkeyUsers } from './valkey-users.ts'

export interface ValkeyStoreOptions {
  readonly settings: ValkeySettings
  /** What records are judged under. Records of another configuration are unknown. */
  readonly configuration: string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Milliseconds of the wall clock, until a server has told its own. */
  readonly wall: () => number
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
  /** Lua that makes `now`, the milliseconds of the server's clock; only tests have another. */
  readonly luaTime?: string
  /** The most messages that are kept; fewer only in tests. */
  readonly mostMessages?: number
  /** Milliseconds that what no request waits for may take, and that `open` waits; more only in tests. */
  readonly deadline?: number
}

/** Who watches the servers. */
export interface NodesWatch {
  /** A server can be used, or cannot any more; `lasted` milliseconds it was as before. */
  onChange(node: StoreNode, lasted: number): void
  /** A server has lost all that it knew. */
  onForgotten(node: string): void
}

export interface ValkeyStore extends SharedStore {
  /** Connects, and goes on to try until it is closed. Rejects only where the client cannot be loaded. */
  connect(): Promise<void>
  /** Tells of the servers from now on; one watch at a time. */
  watch(watch: NodesWatch): void
  nodes(): readonly StoreNode[]
  /** Whether the server that holds this viewer can be used now. */
  isUsable(viewer: string): boolean
}

const DEADLINE = 2_000
/** Milliseconds between two looks whether the servers can be used. */
const LOOK_EVERY = 10

/** The store of many machines: Valkey, or Redis. */
export function createValkeyStore(options: ValkeyStoreOptions): ValkeyStore {
  const { settings, clock, startTimer, deadline = DEADLINE } = options
  const gate = randomBytes(12).toString('base64url')
  const keys = createKeys(settings.prefix)
  const scripts = createScripts(options.luaTime)
  const seal = createSeal(settings.secrets)
  const format = createRecordFormat(seal, options.configuration)
  const time = createServerTime(clock, options.wall)
  let watch: NodesWatch | undefined
  const nodes = createNodes({
    ...{ settings, clock, startTimer, beat: scripts.beat },
    beatKeys: (tag) => keys.beat(tag, gate),
    onBeat: time.learn,
    onChange(node, lasted) {
      if (!node.usable) time.lose(node.name)
      watch?.onChange(node, lasted)
    },
    onForgotten: (node) => watch?.onForgotten(node),
  })
  const { now } = time
  const deadlines = { recall: settings.timeout, other: deadline }
  const fields = createRecordFields(seal, format)
  const shared = { nodes, scripts, keys, seal, gate, now, startTimer, deadline }
  const records = createValkeyRecords({ ...shared, format, fields, deadlines })
  const slice = createRecordSlices({ ...shared, fields, deadlines })
  const marks = createValkeyMarks({ ...shared, key: keys.marks })
  const { mostMessages } = options
  const messages = createValkeyMessages({
    ...{ ...shared, key: keys.messages },
    ...(mostMessages !== undefined && { most: mostMessages }),
  })
  let isOpen = false
  let client: Connect | undefined
  let stopReading = (): void => {}

  const close = async (): Promise<void> => {
    isOpen = false
    stopReading()
    nodes.close()
  }

  const connect = async (): Promise<void> => {
    await close()
    isOpen = true
    client ??= await loadClient(settings)
    if (!isOpen) return
    nodes.open(client)
    stopReading = messages.start(client)
  }

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void startTimer(milliseconds, resolve))

  return {
    gate,
    connect,
    watch(next) {
      watch = next
    },
    async open() {
      await connect()
      const until = clock() + deadline
      // A password does not become right by waiting.
      const isKnown = ({ usable, trouble }: StoreNode): boolean => usable || trouble === 'password'
      while (isOpen && clock() < until && !nodes.states().every(isKnown)) await pause(LOOK_EVERY)
      const states = nodes.states()
      if (states.some(({ usable }) => usable)) return undefined
      await close()
      const [first] = states
      throw new StoreError(
        first?.trouble ?? 'timeout',
        first?.message ?? `Valkey at ${first?.name}: it does not answer in time; look whether it runs`,
      )
    },
    ...records,
    ...marks,
    slice,
    close,
    now,
    users: createValkeyUsers({ ...shared, deadline: settings.timeout }),
    messages,
    replies: createValkeyReplies(shared),
    gates: createValkeyGates({ ...shared, key: keys.gates }),
    async claimSweep(forMs) {
      return (await nodes.run(deadline, keys.sweep, scripts.claim, [gate, forMs])) === 1
    },
    nodes: nodes.states,
  }
}
