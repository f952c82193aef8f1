import type { Redis, RedisOptions } from 'iovalkey'
import type { ValkeyAddress, ValkeySettings } from './valkey-settings.ts'

export type Parameter = string | Buffer | number

/** A connection to one server, which is made again whenever it is lost. */
export interface Connection {
  /**
   * Sends a command. Texts of the reply are Buffers. It rejects with what the server or the system says, and
   * at once while there is no connection. It has no deadline.
   */
  call(name: string, parameters: readonly Parameter[]): Promise<unknown>
  /** As `call`, for a key that is moving to this server of a cluster. */
  callAsking(name: string, parameters: readonly Parameter[]): Promise<unknown>
  /** What the last attempt to connect has failed with; undefined while it is connected. */
  lastError(): unknown
  /** Ends it for good: what is under way rejects. */
  close(): void
}

export interface ConnectOptions {
  /** False: without user, password and database, as for a Sentinel. */
  readonly signIn: boolean
  /** Commands can be sent, for the first time or again. */
  readonly onReady: () => void
  /** It was lost, or could not be made. */
  readonly onLost: () => void
}

export type Connect = (address: ValkeyAddress, options: ConnectOptions) => Connection

type SharedOptions = Pick<ValkeySettings, 'tls' | 'username' | 'password' | 'database'>

/** Milliseconds. A server that accepts and then says nothing is found by heartbeats. */
const CONNECT_TIMEOUT = 2_000
const RETRY_STEP = 100
const MAX_RETRY = 1_000

/** The one place that knows the client. It is loaded only where there is something to connect to. */
export async function loadClient(settings: SharedOptions): Promise<Connect> {
  const { Redis: Client } = await import('iovalkey')
  return (address, options) => wrap(new Client(clientOptions(settings, address, options.signIn)), options)
}

function clientOptions(settings: SharedOptions, address: ValkeyAddress, signIn: boolean): RedisOptions {
  const { tls, username, password, database } = settings
  return {
    ...(address.kind === 'unix'
      ? { path: address.path }
      : { host: address.host, port: address.port, family: 0 }),
    ...(tls && { tls: {} }),
    ...(signIn && username !== undefined && { username }),
    ...(signIn && password !== undefined && { password }),
    ...(signIn && { db: database }),
    // Nothing waits in the client: it would be sent when nobody wants it any more.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // A heartbeat says more than INFO, and needs no right to INFO.
    enableReadyCheck: false,
    connectTimeout: CONNECT_TIMEOUT,
    retryStrategy: (times) => Math.min(RETRY_STEP * times, MAX_RETRY),
  }
}

function wrap(client: Redis, { onReady, onLost }: ConnectOptions): Connection {
  let lastError: unknown
  client.on('error', (error: unknown) => {
    lastError = error
  })
  // Not with an answer: the server may answer once more when it has refused the password.
  client.on('connect', () => {
    lastError = undefined
  })
  client.on('ready', onReady)
  client.on('close', onLost)
  return {
    async call(name, parameters) {
      return await client.callBuffer(name, [...parameters])
    },
    async callAsking(name, parameters) {
      const replies = await client
        .pipeline()
        .asking()
        .callBuffer(name, [...parameters])
        .exec()
      const [error, reply] = replies?.[1] ?? []
      if (error) throw error
      return reply
    },
    lastError: () => lastError,
    close() {
      client.off('close', onLost)
      client.disconnect()
    },
  }
}
