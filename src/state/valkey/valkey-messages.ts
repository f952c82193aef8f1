import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Seal } from '../seal.ts'
import type { Message, Messages } from '../shared-store.ts'
import type { Connect } from './connect.ts'
import { createMessageReader, type MessageReaderOptions } from './message-reader.ts'
import type { Nodes } from './nodes.ts'

export interface ValkeyMessagesOptions extends Omit<MessageReaderOptions, 'onBegin' | 'onEntry' | 'onLost'> {
  readonly nodes: Pick<Nodes, 'call' | 'addressOf'>
  readonly seal: Seal
  readonly gate: string
  /** Milliseconds of store time. */
  readonly now: () => number
  /** Milliseconds that a call may take. */
  readonly deadline: number
  /** The most messages that are kept; fewer only in tests. */
  readonly most?: number
}

export interface ValkeyMessages extends Messages {
  /** Reads from now on; the result stops it. */
  start(connect: Connect): () => void
}

/** Messages that are kept for gates that are cut off, at least. */
const MOST = 10_000
/** A message was put into the store within so many milliseconds of its own time, else it is a copy. */
const FRESH = 60_000

export function createValkeyMessages(options: ValkeyMessagesOptions): ValkeyMessages {
  const { nodes, key, seal, gate, now, deadline, most = MOST } = options
  const place = `message ${key}`
  const seen = new LRUCache<string, true>({ max: 2 * MOST })
  const acts: ((message: Message, from: string) => void)[] = []
  const losses: (() => void)[] = []
  let began = 0

  const reader = createMessageReader({
    ...options,
    onBegin(newest) {
      began = newest
    },
    onEntry(sealed, toldAt) {
      const text = seal.open(sealed, place)
      const letter = text === undefined ? undefined : readLetter(text)
      if (letter === undefined || Math.abs(toldAt - letter.at) > FRESH) return
      // What was told before this process began to read can only be a copy.
      if (letter.at < began || seen.has(letter.nonce)) return
      seen.set(letter.nonce, true)
      for (const act of acts) act(letter.message, letter.gate)
    },
    onLost() {
      for (const act of losses) act()
    },
  })

  return {
    async post(message) {
      const letter: Letter = { gate, at: now(), nonce: randomBytes(12).toString('base64url'), message }
      const sealed = seal.seal(JSON.stringify(letter), place)
      await nodes.call(deadline, key, 'XADD', [key, 'MAXLEN', '~', most, '*', 'm', sealed])
    },
    onMessage: (act) => void acts.push(act),
    onLost: (act) => void losses.push(act),
    start: reader.start,
  }
}

/** What is sealed. */
interface Letter {
  readonly gate: string
  /** Milliseconds of store time. */
  readonly at: number
  readonly nonce: string
  readonly message: Message
}

function readLetter(text: string): Letter | undefined {
  const { gate, at, nonce, message } = JSON.parse(text) as Record<keyof Letter, unknown>
  if (typeof gate !== 'string' || typeof at !== 'number' || typeof nonce !== 'string') return undefined
  if (typeof message !== 'object' || message === null) return undefined
  if (!('kind' in message) || typeof message.kind !== 'string') return undefined
  return { gate, at, nonce, message: message as Message }
}
