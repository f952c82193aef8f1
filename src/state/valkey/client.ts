import type { Keys } from '../keys.ts'
import type { Deadlines, StoreError } from '../store-engine.ts'
import { type Connection, loadConnect } from './connection.ts'
import { listOf, numberOf, UnexpectedReply } from './replies.ts'
import { sessionScripts } from './session-scripts.ts'
import { sharedScripts } from './shared-scripts.ts'
import { lateError, storeErrorOf, unexpectedError } from './trouble.ts'
import type { ValkeyAddress, ValkeySettings } from './valkey-settings.ts'

export type Parameter = string | Buffer | number
const scripts = { ...sessionScripts, ...sharedScripts }
type ScriptName = keyof typeof scripts

/**
 * Sends commands. Each rejects with a `StoreError`, after its deadline in milliseconds at the latest, and
 * where its reply has not the shape that `read` asks for. Texts of replies are Buffers.
 */
export interface Client {
  /** Connects, and goes on to try until it is closed. */
  open(): Promise<void>
  close(): void
  isConnected(): boolean
  /** Why it is not connected, as far as that is known. */
  lastError(): StoreError
  /** A command in small letters. Where there is a key of another type the reply is null. */
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

/** What the parts of the engine are made of. `gate`: this process, as others see it. */
export interface PartOptions {
  readonly client: Client
  readonly keys: Keys
  readonly deadlines: Deadlines
  readonly gate: string
  readonly prefix: string
}

interface ClientOptions {
  readonly settings: ValkeySettings
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
}

/** Milliseconds between two looks at the connection, and looks until one that was not ready is made anew. */
const LOOK = 250
const MOST_LOOKS = 20

export function createClient({ settings, startTimer }: ClientOptions): Client {
  const name = settings.nodes.map(nameOf).join(', ')
  let connection: Connection | undefined
  let lastError: unknown
  let asked = 0
  let looks: NodeJS.Timeout | undefined

  const note = (error: unknown): void => {
    // What the Sentinels have said before says more.
    if (!(error instanceof Error && error.message.startsWith('All sentinels'))) lastError = error
  }

  const errorOf = (error: unknown): StoreError => {
    const known = storeErrorOf(error, name)
    // It is why the connection is made anew.
    if (known.trouble === 'read-only' || known.trouble === 'password') note(known)
    // That nothing can be sent says less than why there is no connection.
    return known.trouble === 'refused' && lastError !== undefined ? storeErrorOf(lastError, name) : known
  }

  /** What was answered belongs to another question, or to nobody. */
  const reset = (): void => {
    if (connection === undefined) return
    if ('nodes' in connection) for (const node of connection.nodes()) node.disconnect(true)
    else connection.disconnect(true)
  }

  const within = <Result>(
    deadline: number,
    ask: (to: Connection) => Promise<unknown>,
    read: (reply: unknown) => Result,
  ): Promise<Result> =>
    new Promise((resolve, reject) => {
      const mine = connection
      if (mine === undefined) return reject(errorOf(new Error('connection is closed')))
      const cancel = startTimer(deadline, () => reject(lateError(name)))
      // It may throw before there is a promise.
      new Promise((sent) => sent(ask(mine))).then(
        (reply) => {
          cancel()
          try {
            resolve(read(reply))
          } catch {
            if (mine === connection) reset()
            reject(unexpectedError(name))
          }
        },
        (error: unknown) => {
          cancel()
          reject(errorOf(error))
        },
      )
    })

  return {
    async open() {
      if (looks !== undefined) return
      let connect: (() => Connection) | undefined
      let unready = 0
      const look = (): void => {
        if (connect === undefined || looks === undefined) return
        unready = connection?.status === 'ready' ? 0 : unready + 1
        // It may have given up: at a port that is none, or while it asked a cluster for its slots.
        if (connection !== undefined && connection.status !== 'end' && unready < MOST_LOOKS) return
        unready = 0
        connection?.disconnect()
        connection = connect()
        for (const [script, lua] of Object.entries(scripts)) connection.defineCommand(script, { lua })
      }
      looks = setInterval(look, LOOK).unref()
      connect = await loadConnect(settings, note)
      look()
    },
    close() {
      clearInterval(looks)
      looks = undefined
      connection?.disconnect()
      connection = undefined
    },
    isConnected: () => connection?.status === 'ready',
    lastError: () => errorOf(new Error('connection is closed')),
    call: (deadline, command, parameters, read) =>
      within(deadline, (to) => to.callBuffer(command, [...parameters]).catch(nothingAtWrongType), read),
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

function nothingAtWrongType(error: unknown): null {
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null
  throw error
}

/** As `defineCommand` adds it, with Buffers in its reply. */
function scriptOf(to: Connection, script: ScriptName): (...parameters: Parameter[]) => Promise<unknown> {
  const own = to as unknown as Record<string, (...parameters: Parameter[]) => Promise<unknown>>
  return (own[`${script}Buffer`] as (typeof own)[string]).bind(to)
}
