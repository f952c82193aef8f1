import type { Cluster, Redis, RedisOptions } from 'iovalkey'
import type { StoreError } from '../store-engine.ts'
import { listOf, numberOf, UnexpectedReply } from './replies.ts'
import { sessionScripts } from './session-scripts.ts'
import { sharedScripts } from './shared-scripts.ts'
import { lateError, storeErrorOf, unexpectedError } from './trouble.ts'
import type { ValkeyAddress, ValkeySettings } from './valkey-settings.ts'

export type Parameter = string | Buffer | number
const scripts = { ...sessionScripts, ...sharedScripts }
export type ScriptName = keyof typeof scripts

/**
 * Sends commands. Each rejects with a `StoreError`, after its deadline in milliseconds at the latest, and
 * where its reply has not the shape that `read` asks for. Texts of replies are Buffers.
 */
export interface Client {
  /** Connects, and goes on to try until it is closed. */
  open(): Promise<void>
  close(): void
  isConnected(): boolean
  /** Why it is not connected, as far as it is known. */
  lastError(): StoreError
  /** A command in small letters, as the client's table of keys has it. Another type of key is no reply: null. */
  call<Result>(
    deadline: number,
    name: string,
    parameters: readonly Parameter[],
    read: (reply: unknown) => Result,
  ): Promise<Result>
  /** A script. `read` gets its reply without the number that it begins with. */
  run<Result>(
    deadline: number,
    script: ScriptName,
    keys: readonly string[],
    parameters: readonly Parameter[],
    read: (reply: readonly unknown[]) => Result,
  ): Promise<Result>
}

export interface ClientOptions {
  readonly settings: ValkeySettings
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
}

/** Milliseconds. One that accepts and then says nothing is found by its first command. */
const CONNECT = 2_000
const RETRY_STEP = 100
const MAX_RETRY = 1_000
/** Milliseconds between two looks at each connection: what waits at two of them has waited for too long. */
const LOOK = 1_500
/** Looks at a client that was never ready; then another one is made. */
const MOST_LOOKS = 4
const REFRESH = 5_000
/** Milliseconds between two questions for the slots of a cluster, where a server is away. */
const REFRESH_SOON = 500

type Library = Pick<typeof import('iovalkey'), 'Redis' | 'Cluster' | 'Command' | 'SentinelConnector'>
type Inner = Redis | Cluster

export function createClient({ settings, startTimer }: ClientOptions): Client {
  const name = settings.nodes.map(nameOf).join(', ')
  let library: Library | undefined
  let inner: Inner | undefined
  let lastError: unknown
  let withSentinelPassword = false
  let asked = 0
  let looks: NodeJS.Timeout | undefined

  const note = (error: unknown): void => {
    // What the Sentinels have said before says more.
    if (!(error instanceof Error && error.message.startsWith('All sentinels'))) lastError = error
  }

  const errorOf = (error: unknown): StoreError => {
    const known = storeErrorOf(error, name)
    // That nothing can be sent says less than why there is no connection.
    return known.trouble === 'refused' && lastError !== undefined ? storeErrorOf(lastError, name) : known
  }

  /**
   * Two things that iovalkey leaves to its user. An exception while it reads (its parser throws at an array of
   * 10^11, or nested too deep; it calls toString of a nil that nobody has asked for) would end the process. And
   * a server that says nothing, or what it says is the beginning of a text of gigabytes, would be waited for.
   */
  const guard = (redis: Redis): Redis => {
    let waiting: unknown
    let timer: NodeJS.Timeout | undefined
    redis.on('error', note)
    redis.on('connect', () => {
      lastError = undefined
      const { stream } = redis
      const { emit } = stream
      stream.emit = (...told: readonly unknown[]) => {
        try {
          return Reflect.apply(emit, stream, told)
        } catch (error) {
          if (told[0] !== 'data') throw error
          stream.destroy()
          return true
        }
      }
      clearInterval(timer)
      timer = setInterval(() => {
        const oldest = queueOf(redis).peekFront()
        if (oldest !== undefined && oldest === waiting) stream.destroy()
        waiting = oldest
      }, LOOK).unref()
    })
    redis.on('close', () => clearInterval(timer))
    // A cluster asks for its slots on connections like this one.
    const { duplicate } = redis
    redis.duplicate = (...override) => guard(duplicate.apply(redis, override))
    return redis
  }

  const connect = (): void => {
    inner?.disconnect()
    if (library === undefined) return
    const made = settings.mode.kind === 'cluster' ? toCluster(library) : toServer(library)
    for (const [script, lua] of Object.entries(scripts)) made.defineCommand(script, { lua })
    inner = made
  }

  const common: RedisOptions = {
    ...(settings.username !== undefined && { username: settings.username }),
    ...(settings.password !== undefined && { password: settings.password }),
    ...(settings.tls && { tls: {} }),
    family: 0,
    // Else every second attempt tries IPv6 alone.
    familyFallback: { enabled: false },
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The heartbeat says more than INFO, and needs no right to INFO.
    enableReadyCheck: false,
    connectTimeout: CONNECT,
    // A peer that never closes keeps a connection that was ended for so long.
    disconnectTimeout: RETRY_STEP,
    reconnectOnError: (error) => /^(?:READONLY|LOADING|MASTERDOWN)\b/.test(error.message),
  }

  const toServer = ({ Redis: Client, SentinelConnector }: Library): Redis => {
    const { mode, nodes, database, username, password, tls } = settings
    const [first] = nodes
    const options: RedisOptions = {
      ...{ ...common, db: database, enableOfflineQueue: false },
      retryStrategy: retryAfter,
      ...(first?.kind === 'unix' ? { path: first.path } : { ...first }),
    }
    if (mode.kind !== 'sentinel') return guard(new Client(options))
    /** The connections to Sentinels are made deep inside. */
    class Guarded extends SentinelConnector {
      constructor(given: RedisOptions) {
        super(given)
        const own = this as unknown as { connectToSentinel: (...which: unknown[]) => Redis }
        const make = own.connectToSentinel
        own.connectToSentinel = (...which) => guard(make.apply(this, which))
      }
    }
    const client = new Client({
      ...options,
      ...{ name: mode.name, sentinels: nodes.flatMap((node) => (node.kind === 'tcp' ? [{ ...node }] : [])) },
      Connector: Guarded as NonNullable<RedisOptions['Connector']>,
      // What a Sentinel tells of others is not asked for: STATE_URL names them.
      updateSentinels: false,
      sentinelCommandTimeout: MAX_RETRY,
      sentinelRetryStrategy: retryAfter,
      ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
      ...(withSentinelPassword && {
        ...(username !== undefined && { sentinelUsername: username }),
        ...(password !== undefined && { sentinelPassword: password }),
      }),
    })
    client.on('sentinelError', (error: Error) => {
      lastError = error
      // Sentinels often have no password where the servers have one.
      if (withSentinelPassword || !error.message.includes('NOAUTH') || client !== inner) return
      withSentinelPassword = true
      connect()
    })
    return guard(client)
  }

  const toCluster = ({ Cluster: Client }: Library): Cluster => {
    let refreshedAt = 0
    const cluster = new Client(
      settings.nodes.flatMap((node) => (node.kind === 'tcp' ? [{ host: node.host, port: node.port }] : [])),
      {
        enableOfflineQueue: false,
        enableReadyCheck: false,
        // With 0 every error would read "too many redirections".
        maxRedirections: 4,
        // By default commands are sent again, to any server, up to 16 times after 100 ms each.
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        retryDelayOnTryAgain: 20,
        slotsRefreshTimeout: MAX_RETRY,
        slotsRefreshInterval: REFRESH,
        clusterRetryStrategy: retryAfter,
        // An address in the place of the name would fit no certificate.
        dnsLookup: (host, done) => done(null, host),
        redisOptions: common,
      },
    )
    cluster.on('error', note)
    cluster.on('+node', guard)
    // Nothing else makes it look for the one in the place of a server that is gone.
    cluster.on('node error', (error: unknown) => {
      note(error)
      if (performance.now() - refreshedAt < REFRESH_SOON) return
      refreshedAt = performance.now()
      cluster.refreshSlotsCache()
    })
    return cluster
  }

  /** What was answered belongs to another question, or to nobody. */
  const reset = (): void => {
    if (inner === undefined) return
    if ('nodes' in inner) for (const node of inner.nodes()) node.disconnect(true)
    else inner.disconnect(true)
  }

  const within = <Result>(
    deadline: number,
    ask: (to: Inner) => Promise<unknown>,
    read: (reply: unknown) => Result,
    isNothing: (error: unknown) => boolean = () => false,
  ): Promise<Result> =>
    new Promise((resolve, reject) => {
      const mine = inner
      if (mine === undefined) return reject(errorOf(new Error('connection is closed')))
      const cancel = startTimer(deadline, () => reject(lateError(name)))
      const settle = (reply: unknown): void => {
        cancel()
        try {
          resolve(read(reply))
        } catch {
          if (mine === inner) reset()
          reject(unexpectedError(name))
        }
      }
      // It may throw before there is a promise.
      new Promise((sent) => sent(ask(mine))).then(settle, (error: unknown) => {
        if (isNothing(error)) return settle(null)
        cancel()
        reject(errorOf(error))
      })
    })

  return {
    async open() {
      if (inner !== undefined) return
      library ??= await loadLibrary()
      connect()
      let unready = 0
      looks = setInterval(() => {
        unready = inner?.status === 'ready' ? 0 : unready + 1
        // It may have given up: at a port that is none, or while it asked a cluster for its slots.
        if (unready > 0 && unready % MOST_LOOKS === 0) connect()
      }, LOOK).unref()
    },
    close() {
      clearInterval(looks)
      inner?.disconnect()
      inner = undefined
    },
    isConnected: () => inner?.status === 'ready',
    lastError: () => errorOf(new Error('connection is closed')),
    call: (deadline, command, parameters, read) =>
      within(deadline, (to) => to.callBuffer(command, [...parameters]), read, isWrongType),
    run(deadline, script, keys, parameters, read) {
      asked += 1
      const number = asked
      return within(
        deadline,
        (to) => scriptOf(to, script)(keys.length, ...keys, number, ...parameters),
        (reply) => {
          const [first, ...rest] = listOf(reply)
          // A stream of replies that has slipped answers what was asked before.
          if (numberOf(first) !== number) throw new UnexpectedReply()
          return read(rest)
        },
      )
    },
  }
}

export function nameOf(address: ValkeyAddress): string {
  if (address.kind === 'unix') return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Loaded only where there is something to connect to. */
async function loadLibrary(): Promise<Library> {
  const library = await import('iovalkey')
  const { Command } = library
  // It reads these two as they come, and throws at other shapes where nobody can catch it.
  Command.setReplyTransformer('cluster', (reply: unknown) => checked(reply, isSlots))
  Command.setReplyTransformer('sentinel', (reply: unknown) => checked(reply, isAddress))
  // By default it makes an object of what HGETALL returns.
  Command.setReplyTransformer('hgetall', (reply: unknown) => reply)
  return library
}

function checked(reply: unknown, fits: (reply: unknown) => boolean): unknown {
  if (fits(reply)) return reply
  throw new UnexpectedReply('an unexpected reply')
}

const MOST_SLOT = 16_383

/** As CLUSTER SLOTS answers: ranges, each with its servers. */
function isSlots(reply: unknown): boolean {
  return (
    Array.isArray(reply) &&
    reply.length > 0 &&
    reply.every((range) => {
      if (!Array.isArray(range)) return false
      const [first, last, ...servers] = range as unknown[]
      const isRange = Number.isInteger(first) && Number.isInteger(last) && Number(last) <= MOST_SLOT
      return isRange && servers.length > 0 && servers.every(isServer)
    })
  )
}

/** A server that does not know its own name tells an empty one, or none. */
function isServer(reply: unknown): boolean {
  return Array.isArray(reply) && (typeof reply[0] === 'string' || reply[0] === null) && isPort(reply[1])
}

/** As a Sentinel answers: host and port, or nothing. */
function isAddress(reply: unknown): boolean {
  return reply === null || (Array.isArray(reply) && typeof reply[0] === 'string' && isPort(reply[1]))
}

function isPort(reply: unknown): boolean {
  return /^\d{1,5}$/.test(String(reply)) && Number(reply) > 0 && Number(reply) < 65_536
}

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE')
}

function retryAfter(times: number): number {
  return Math.min(RETRY_STEP * times, MAX_RETRY)
}

/** The commands that wait for their replies, the oldest first. */
function queueOf(redis: Redis): { peekFront(): unknown } {
  return (redis as unknown as { commandQueue: { peekFront(): unknown } }).commandQueue
}

/** As `defineCommand` adds it, with Buffers in its reply. */
function scriptOf(client: Inner, script: ScriptName): (...parameters: Parameter[]) => Promise<unknown> {
  const own = client as unknown as Record<string, (...parameters: Parameter[]) => Promise<unknown>>
  return (own[`${script}Buffer`] as (typeof own)[string]).bind(client)
}
