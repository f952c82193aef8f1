import type { Cluster, Redis, RedisOptions } from 'iovalkey'
import type { ValkeySettings } from './valkey-settings.ts'

export type Connection = Redis | Cluster

type Library = Pick<typeof import('iovalkey'), 'Redis' | 'Cluster' | 'Command' | 'SentinelConnector'>

/** Milliseconds. A server that accepts and then says nothing is found by what waits for it. */
const CONNECT = 2_000
const RETRY_STEP = 100
const MAX_RETRY = 1_000
/** Milliseconds between two looks at each connection: what waits at two of them has waited for too long. */
const LOOK = 1_500
/** Milliseconds between two questions for the slots of a cluster, and at least, where a server is away. */
const REFRESH = 5_000
const REFRESH_SOON = 500
const MOST_SLOT = 16_383

/** A server that says so is left for another one, or is tried anew. */
const IS_NO_PRIMARY = /^(?:READONLY|LOADING|MASTERDOWN)\b/

/**
 * The one place that knows iovalkey, which is loaded only where there is something to connect to. Resolves
 * with what connects; `note` hears why that fails, and undefined when it is connected.
 */
export async function loadConnect(
  settings: ValkeySettings,
  note: (error: unknown) => void,
): Promise<() => Connection> {
  const library: Library = await import('iovalkey')
  const { Command } = library
  // It reads these two as they come, and throws at other shapes where nobody can catch it.
  Command.setReplyTransformer('cluster', (reply: unknown) => checked(reply, isSlots))
  Command.setReplyTransformer('sentinel', (reply: unknown) => checked(reply, isAddress))
  // By default it makes an object of what HGETALL returns.
  Command.setReplyTransformer('hgetall', (reply: unknown) => reply)
  if (settings.mode.kind === 'cluster') return () => toCluster(library, settings, note)
  const askedFor = { sentinelPassword: false }
  return () => toServer(library, settings, note, askedFor)
}

function commonOptions({ username, password, tls }: ValkeySettings): RedisOptions {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
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
    reconnectOnError: ({ message }) => IS_NO_PRIMARY.test(message),
  }
}

function toServer(
  { Redis: Client, SentinelConnector }: Library,
  settings: ValkeySettings,
  note: (error: unknown) => void,
  askedFor: { sentinelPassword: boolean },
): Redis {
  const { mode, nodes, database: db, username, password, tls } = settings
  const [first] = nodes
  const options: RedisOptions = {
    ...{ ...commonOptions(settings), db, enableOfflineQueue: false, retryStrategy: retryAfter },
    ...(first?.kind === 'unix' ? { path: first.path } : { ...first }),
  }
  if (mode.kind !== 'sentinel') return guard(new Client(options), note)
  /** The connections to Sentinels are made deep inside. */
  class Guarded extends SentinelConnector {
    constructor(given: RedisOptions) {
      super(given)
      const own = this as unknown as { connectToSentinel: (...which: unknown[]) => Redis }
      const make = own.connectToSentinel
      own.connectToSentinel = (...which) => guard(make.apply(this, which), () => {})
    }
  }
  const client = new Client({
    ...options,
    ...{ name: mode.name, sentinels: nodes.flatMap((node) => (node.kind === 'tcp' ? [{ ...node }] : [])) },
    Connector: Guarded as NonNullable<RedisOptions['Connector']>,
    // STATE_URL names them; what one of them tells of others is not asked for.
    updateSentinels: false,
    sentinelCommandTimeout: MAX_RETRY,
    sentinelRetryStrategy: retryAfter,
    ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
    ...(askedFor.sentinelPassword && {
      ...(username !== undefined && { sentinelUsername: username }),
      ...(password !== undefined && { sentinelPassword: password }),
    }),
  })
  client.on('sentinelError', (error: Error) => {
    if (askedFor.sentinelPassword || !error.message.includes('NOAUTH')) return note(error)
    // Sentinels often have no password where the servers have one. It ends, and another one is made.
    askedFor.sentinelPassword = true
    client.disconnect()
  })
  return guard(client, note)
}

function toCluster(
  { Cluster: Client }: Library,
  settings: ValkeySettings,
  note: (error: unknown) => void,
): Cluster {
  let refreshedAt = 0
  const cluster = new Client(
    settings.nodes.flatMap((node) => (node.kind === 'tcp' ? [{ host: node.host, port: node.port }] : [])),
    {
      enableOfflineQueue: false,
      enableReadyCheck: false,
      // With 0 every error would read "too many redirections".
      maxRedirections: 4,
      // By default commands are sent again, to any server, up to 16 times after 100 ms each.
      ...{ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, retryDelayOnTryAgain: 20 },
      ...{ slotsRefreshTimeout: MAX_RETRY, slotsRefreshInterval: REFRESH },
      clusterRetryStrategy: retryAfter,
      // An address in the place of the name would fit no certificate.
      dnsLookup: (host, done) => done(null, host),
      redisOptions: commonOptions(settings),
    },
  )
  cluster.on('error', note)
  cluster.on('+node', (node: Redis) => guard(node, note))
  // Nothing else makes it look for the one in the place of a server that is gone.
  cluster.on('node error', (error: unknown) => {
    note(error)
    if (performance.now() - refreshedAt < REFRESH_SOON) return
    refreshedAt = performance.now()
    cluster.refreshSlotsCache()
  })
  return cluster
}

/**
 * What iovalkey leaves to its user. An exception while it reads would end the process: its parser throws at
 * an array of 10^11, or nested too deep, and it calls toString of a nil that nobody has asked for. And
 * it waits for ever for a server that says nothing, or whose reply is the beginning of a text of gigabytes.
 */
function guard(redis: Redis, note: (error: unknown) => void): Redis {
  let waiting: unknown
  let timer: NodeJS.Timeout | undefined
  redis.on('error', note)
  redis.on('connect', () => {
    note(undefined)
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
      const oldest = commandsOf(redis).peekFront()
      if (oldest !== undefined && oldest === waiting) {
        note(new Error('ETIMEDOUT'))
        stream.destroy()
      }
      waiting = oldest
    }, LOOK).unref()
  })
  redis.on('close', () => clearInterval(timer))
  // It follows an ASK and leaves what this rejects with to nobody, who ends the process.
  const { asking } = redis
  const caught = async (): Promise<unknown> => await asking.call(redis).catch(() => undefined)
  redis.asking = caught as typeof asking
  // A cluster asks for its slots on connections like this one.
  const { duplicate } = redis
  redis.duplicate = (...override) => guard(duplicate.apply(redis, override), note)
  return redis
}

/** Those that wait for their replies, the oldest first. */
function commandsOf(redis: Redis): { peekFront(): unknown } {
  return (redis as unknown as { commandQueue: { peekFront(): unknown } }).commandQueue
}

function retryAfter(times: number): number {
  return Math.min(RETRY_STEP * times, MAX_RETRY)
}

function checked(reply: unknown, fits: (reply: unknown) => boolean): unknown {
  if (fits(reply)) return reply
  throw new Error('an unexpected reply')
}

/** As CLUSTER SLOTS answers: ranges, each with its servers. One that does not know its name tells none. */
function isSlots(reply: unknown): boolean {
  return isList(reply, 1) && reply.every(isRange)
}

function isRange(range: unknown): boolean {
  if (!isList(range, 3)) return false
  const [first, last, ...servers] = range
  const isSlot = (slot: unknown): boolean => Number.isInteger(slot) && Number(slot) <= MOST_SLOT
  return isSlot(first) && isSlot(last) && servers.every((server) => server !== null && isAddress(server))
}

/** Host and port, as a Sentinel answers, or nothing. */
function isAddress(reply: unknown): boolean {
  if (reply === null) return true
  if (!isList(reply, 2)) return false
  const [host, port] = reply
  return (host === null || typeof host === 'string') && Number(port) > 0 && Number(port) < 65_536
}

function isList(reply: unknown, least: number): reply is readonly unknown[] {
  return Array.isArray(reply) && reply.length >= least
}
