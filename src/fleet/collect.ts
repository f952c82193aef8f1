import type { Replies } from '../state/shared-store.ts'

/** What a gate has answered. */
export interface Reply {
  /** As in `SharedStore.gate`. */
  readonly gate: string
  readonly name: string
  readonly value: unknown
}

export interface CollectOptions {
  readonly replies: Replies
  /** The id of the question. */
  readonly ask: string
  /** The gates that are waited for. */
  readonly from: ReadonlySet<string>
  /** Resolves when nobody waits any longer. */
  readonly over: Promise<void>
  readonly pause: (milliseconds: number) => Promise<void>
}

/** Milliseconds until the answers are looked for: the first time, and at most. */
const FIRST_PAUSE = 5
const LONGEST_PAUSE = 40

/** The answers that come before all have answered or it is over. A store that fails ends it, too. */
export async function collect({
  replies,
  ask,
  from,
  over,
  pause,
}: CollectOptions): Promise<readonly Reply[]> {
  const found = new Map<string, Reply>()
  const missing = new Set(from)
  let isOver = false
  void over.then(() => {
    isOver = true
  })
  let read = 0
  for (let wait = FIRST_PAUSE; missing.size > 0 && !isOver; wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
    await Promise.race([pause(wait), over])
    const texts = await Promise.race([replies.answers(ask, read).catch(() => undefined), over])
    if (texts === undefined) break
    read += texts.length
    for (const text of texts) {
      const reply = readReply(text)
      if (reply === undefined) continue
      found.set(reply.gate, reply)
      missing.delete(reply.gate)
    }
  }
  return [...found.values()]
}

/** Undefined for what a later release may write in another way. */
function readReply(text: string): Reply | undefined {
  try {
    const { gate, name, value } = JSON.parse(text) as Partial<Record<'gate' | 'name' | 'value', unknown>>
    return typeof gate === 'string' && typeof name === 'string' ? { gate, name, value } : undefined
  } catch {
    return undefined
  }
}
