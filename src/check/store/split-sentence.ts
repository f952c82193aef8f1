import type { StoreError } from '../../state/store-engine.ts'

/** The sentence of a store's trouble: what is wrong, and behind the last semicolon the cure. */
export function splitSentence(message: StoreError['message']): [what: string, cure: string | undefined] {
  const at = message.lastIndexOf('; ')
  return at === -1 ? [message, undefined] : [message.slice(0, at), message.slice(at + 2)]
}
