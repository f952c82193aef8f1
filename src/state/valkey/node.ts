import type { StoreError } from '../record-store.ts'
import type { StoreNode } from '../shared-store.ts'
import type { Connect, Connection, Parameter } from './connect.ts'
import type { Script } from './scripts.ts'
import { createSender } from './sender.ts'
import type { ValkeyAddress } from './valkey-settings.ts'
import { isRedirection, lateError, storeErrorOf } from './valkey-trouble.ts'

export interface NodeOptions {
  readonly connect: Connect
  readonly address: ValkeyAddress
  readonly beat: Script
  /** The keys of the heartbeat; in a cluster, in a slot of this server. */
  readonly beatKeys: () => readonly [gate: string, epoch: string]
  /** A fresh name for the time since the server was empty. */
  readonly newEpoch: () => string
  /** STATE_TIMEOUT: the deadline of a heartbeat, in milliseconds. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
  readonly onBeat: (beat: Beat) => void
  /** The slot of the heartbeat is on its way to another server of the cluster: the next one needs another. */
  readonly onRedirected: () => void
  /** It can be used, or cannot any more; `lasted` milliseconds it was as before. */
  readonly onChange: (state: StoreNode, lasted: number) => void
}

/** What a heartbeat has found. */
export interface Beat {
  /** Milliseconds of the server's clock, and of ours when that was. */
  readonly time: number
  readonly at: number
  /** Milliseconds that it took. */
  readonly took: number
  readonly epochKey: string
  readonly epoch: string
}

/** One server, and whether it can be used. */
export interface Node {
  readonly name: string
  readonly address: ValkeyAddress
  state(): StoreNode
  /** Rejects with a `StoreError`; in a cluster also with a redirection, as the server has said it. */
  call(deadline: number, name: string, parameters: readonly Parameter[], asking?: boolean): Promise<unknown>
  run(
    deadline: number,
    script: Script,
    keys: readonly string[],
    parameters: readonly Parameter[],
    asking?: boolean,
  ): Promise<unknown>
  close(): void
}

/** Milliseconds between two heartbeats, and without a good one until the connection is made anew. */
const BEAT_EVERY = 250
const WATCHDOG = 3_000
/** Heartbeats in a row that may be redirected: many slots may be moving. */
const MOST_REDIRECTIONS = 16

export function createNode(options: NodeOptions): Node {
  const { connect, address, timeout, clock, startTimer, onBeat, onChange } = options
  const name = nameOf(address)
  let state: StoreNode = { name, usable: false, since: clock() }
  let connection: Connection | undefined
  let sender = createSender(undefined)
  let isClosed = false
  let isBeating = false
  /** Heartbeats in a row that were redirected. */
  let redirections = 0
  let cancelBeat = (): void => {}
  let cancelWatchdog = (): void => {}

  const become = (usable: boolean, error?: StoreError): void => {
    if (isClosed) return
    const was = state
    const isChange = was.usable !== usable || (error !== undefined && was.message === undefined)
    const since = isChange ? clock() : was.since
    const why = error === undefined ? {} : { trouble: error.trouble, message: error.message }
    state = { name, usable, since, ...why }
    if (isChange) onChange(state, since - was.since)
  }

  const errorOf = (error: unknown): StoreError => {
    const why = connection?.lastError()
    const known = storeErrorOf(error, name)
    // That nothing can be sent says less than why there is no connection.
    return known.trouble === 'refused' && why !== undefined ? storeErrorOf(why, name) : known
  }

  const open = (): void => {
    connection?.close()
    isBeating = false
    connection = connect(address, {
      signIn: true,
      onReady() {
        sender = createSender(connection)
        beat()
      },
      onLost: () => become(false, errorOf(new Error('connection is closed'))),
    })
    sender = createSender(connection)
    cancelWatchdog()
    cancelWatchdog = startTimer(WATCHDOG, open)
  }

  const beat = (): void => {
    if (isBeating || isClosed) return
    isBeating = true
    cancelBeat()
    const mine = connection
    const began = clock()
    const [gateKey, epochKey] = options.beatKeys()
    let isLate = false
    const cancelDeadline = startTimer(timeout, () => {
      isLate = true
      if (mine === connection) become(false, lateError(name))
    })
    const settle = (next: number): void => {
      cancelDeadline()
      if (isClosed || mine !== connection) return
      isBeating = false
      cancelBeat = startTimer(next, beat)
    }
    sender.run(options.beat, [gateKey, epochKey], [options.newEpoch()]).then(
      (reply) => {
        settle(isLate ? 0 : BEAT_EVERY)
        if (isClosed || isLate || mine !== connection) return
        const [time, epoch] = reply as readonly [Buffer, Buffer]
        const ended = clock()
        cancelWatchdog()
        cancelWatchdog = startTimer(WATCHDOG, open)
        redirections = 0
        onBeat({
          ...{ time: Number(time), at: (began + ended) / 2, took: ended - began },
          ...{ epochKey, epoch: epoch.toString() },
        })
        become(true)
      },
      (error: unknown) => {
        // A server that says where a slot goes works.
        const isMoving = isRedirection(error) && ++redirections <= MOST_REDIRECTIONS
        settle(isMoving ? 0 : BEAT_EVERY)
        if (mine !== connection) return
        if (isMoving) options.onRedirected()
        else become(false, errorOf(error))
      },
    )
  }

  /** With a deadline. One that is late makes the server unusable at once. */
  const within = (deadline: number, act: () => Promise<unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const mine = connection
      let isLate = false
      const cancel = startTimer(deadline, () => {
        isLate = true
        if (mine === connection) become(false, lateError(name))
        beat()
        reject(lateError(name))
      })
      act().then(
        (reply) => {
          cancel()
          resolve(reply)
        },
        (error: unknown) => {
          cancel()
          if (isLate) return
          if (isRedirection(error)) return reject(error)
          beat()
          reject(errorOf(error))
        },
      )
    })

  open()
  return {
    name,
    address,
    state: () => state,
    call: (deadline, command, parameters, asking = false) =>
      within(deadline, () => sender.call(command, parameters, asking)),
    run: (deadline, script, keys, parameters, asking) =>
      within(deadline, () => sender.run(script, keys, parameters, asking)),
    close() {
      isClosed = true
      state = { name, usable: false, since: clock() }
      cancelBeat()
      cancelWatchdog()
      connection?.close()
    },
  }
}

export function nameOf(address: ValkeyAddress): string {
  if (address.kind === 'unix') return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
