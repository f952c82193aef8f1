import type { Seal } from '../seal.ts'
import { REPLIES_KEPT, type Replies } from '../shared-store.ts'
import type { Nodes } from './nodes.ts'
import type { Scripts } from './scripts.ts'
import type { ValkeyKeys } from './valkey-keys.ts'

export interface ValkeyRepliesOptions {
  readonly nodes: Pick<Nodes, 'call' | 'run'>
  readonly scripts: Scripts
  readonly keys: Pick<ValkeyKeys, 'replies'>
  readonly seal: Seal
  /** Milliseconds that a call may take. */
  readonly deadline: number
}

/** A list for each question, which its asker reads. */
export function createValkeyReplies(options: ValkeyRepliesOptions): Replies {
  const { nodes, scripts, keys, seal, deadline } = options
  const placeOf = (ask: string): string => `reply ${ask}`
  return {
    async answer(ask, text) {
      const sealed = seal.seal(text, placeOf(ask))
      await nodes.run(deadline, keys.replies(ask), scripts.push, [sealed, REPLIES_KEPT])
    },
    async answers(ask, from) {
      const key = keys.replies(ask)
      const all = (await nodes.call(deadline, key, 'LRANGE', [key, from, -1])) as readonly Buffer[]
      return all.map((sealed) => seal.open(sealed, placeOf(ask)) ?? '')
    },
  }
}
