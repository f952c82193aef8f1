import type { Connect, Connection } from './connect.ts'
import { nameOf } from './node.ts'
import type { Nodes } from './nodes.ts'
import type { ValkeyAddress } from './valkey-settings.ts'

export interface MessageReaderOptions {
  readonly nodes: Pick<Nodes, 'addressOf'>
  /** The key of the stream. */
  readonly key: string
  /** Calls `act` after so many milliseconds; the result cancels it. */
  readonly startTimer: (milliseconds: number, act: () => void) => () => void
  /** It begins behind this entry, of so many milliseconds of the store's clock; 0 where there is none. */
  readonly onBegin: (newest: number) => void
  /** An entry, and when the store has got it, in milliseconds of its clock. */
  readonly onEntry: (value: Buffer, toldAt: number) => void
  /** There may have been entries that are gone. */
  readonly onLost: () => void
}

/** Reads a stream on a connection of its own, from one entry to the next, also across cuts. */
export interface MessageReader {
  /** Reads what comes from now on, or after what it has read before. The result stops it. */
  start(connect: Connect): () => void
}

/** Milliseconds that the server keeps a reading at most, and after which it counts as silent. */
const BLOCK = 1_000
const PATIENCE = 3_000
/** Milliseconds until the next attempt. */
const PAUSE = 100
const COUNT = 500
const BEGINNING = '0-0'

type Entry = readonly [id: Buffer, fields: readonly Buffer[]]

export function createMessageReader(options: MessageReaderOptions): MessageReader {
  const { nodes, key, startTimer, onBegin, onEntry, onLost } = options
  /** The last entry that was read; undefined before the first contact. */
  let last: string | undefined

  /** Where to begin. A stream that was emptied, or is behind what was read, is read from its beginning. */
  const begin = async (connection: Connection): Promise<void> => {
    const [newest] = (await connection.call('XREVRANGE', [key, '+', '-', 'COUNT', 1])) as readonly Entry[]
    const id = newest === undefined ? BEGINNING : String(newest[0])
    if (last === undefined) {
      last = id
      onBegin(timeOf(id))
    } else if (isBefore(id, last)) {
      last = BEGINNING
      onLost()
    }
  }

  const readOn = async (connection: Connection): Promise<void> => {
    const from = last ?? BEGINNING
    const asked = await Promise.all([
      // While the last entry is there, none behind it is gone.
      connection.call('XRANGE', [key, from, from, 'COUNT', 1]),
      connection.call('XREAD', ['COUNT', COUNT, 'BLOCK', BLOCK, 'STREAMS', key, from]),
    ])
    const [known, streams] = asked as [
      readonly Entry[],
      readonly (readonly [Buffer, readonly Entry[]])[] | null,
    ]
    const entries = streams?.[0]?.[1] ?? []
    for (const [id, fields] of entries) {
      last = String(id)
      const value = fields[1]
      if (value !== undefined) onEntry(value, timeOf(last))
    }
    if (from === BEGINNING || known.length > 0) return
    if (entries.length === 0) last = BEGINNING
    onLost()
  }

  /** Reads until that fails, or until it is stopped. */
  const follow = (connect: Connect, onOpen: (giveUp: () => void) => void): Promise<void> =>
    new Promise((resolve) => {
      const address = nodes.addressOf(key)
      if (address === undefined) return resolve()
      const end = (): void => {
        cancel()
        connection.close()
        resolve()
      }
      let cancel = startTimer(PATIENCE, end)
      const read = async (): Promise<void> => {
        try {
          await begin(connection)
          for (let at = nodes.addressOf(key); isSame(at, address); at = nodes.addressOf(key)) {
            cancel()
            cancel = startTimer(PATIENCE, end)
            await readOn(connection)
          }
        } catch {
          // It is tried again.
        }
        end()
      }
      const connection = connect(address, { signIn: true, onReady: () => void read(), onLost: end })
      onOpen(end)
    })

  return {
    start(connect) {
      let isStopped = false
      let wake = (): void => {}
      const run = async (): Promise<void> => {
        while (!isStopped) {
          await follow(connect, (giveUp) => {
            wake = giveUp
          })
          if (isStopped) return
          await new Promise<void>((resolve) => {
            const cancel = startTimer(PAUSE, resolve)
            wake = () => {
              cancel()
              resolve()
            }
          })
        }
      }
      void run()
      return () => {
        isStopped = true
        wake()
      }
    },
  }
}

function isSame(a: ValkeyAddress | undefined, b: ValkeyAddress): boolean {
  return a !== undefined && nameOf(a) === nameOf(b)
}

/** The milliseconds of an id. */
function timeOf(id: string): number {
  return Number(id.split('-')[0])
}

function isBefore(a: string, b: string): boolean {
  const [aTime = 0, aCount = 0] = a.split('-').map(Number)
  const [bTime = 0, bCount = 0] = b.split('-').map(Number)
  return aTime < bTime || (aTime === bTime && aCount < bCount)
}
