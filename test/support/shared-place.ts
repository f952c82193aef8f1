import { StoreError, type StoreTrouble } from '../../src/state/record-store.ts'
import type { GateAbout, Message, SharedStore } from '../../src/state/shared-store.ts'

/** The part of a shared store by which gates speak to each other. */
export type SharedParts = Pick<SharedStore, 'gate' | 'messages' | 'replies' | 'gates'>

/** A place in memory where gates speak to each other, as they would in Valkey. */
export interface SharedPlace {
  /** @param gate its id */
  join(gate: string): SharedParts
  /** From now on nothing works for these gates, or for all; undefined: it works again. */
  fails(trouble: StoreTrouble | undefined, gates?: readonly string[]): void
  /** From now on these gates hear no message. What was told comes when they are let go. */
  hold(gates: readonly string[]): () => void
  /** From now on nothing is answered, and nothing fails. */
  hang(): void
  /** All messages so far, oldest first. */
  readonly posted: readonly Message[]
  /** How often answers were added and fetched. */
  readonly calls: { readonly answer: number; readonly answers: number }
}

/** @param clock milliseconds */
export function createSharedPlace(clock: () => number): SharedPlace {
  const listeners = new Map<string, ((message: Message, from: string) => void)[]>()
  const held = new Map<string, (() => void)[]>()
  const told = new Map<string, GateAbout & { readonly at: number }>()
  const kept = new Map<string, string[]>()
  const posted: Message[] = []
  const calls = { answer: 0, answers: 0 }
  let trouble: StoreTrouble | undefined
  let failing: readonly string[] | undefined
  let hangs = false

  const call = async <Result>(gate: string, act: () => Result): Promise<Result> => {
    if (hangs) return await new Promise<never>(() => {})
    if (trouble !== undefined && (failing?.includes(gate) ?? true))
      throw new StoreError(trouble, `pretended: ${trouble}`)
    return act()
  }

  return {
    join: (gate) => ({
      gate,
      messages: {
        post: (message) =>
          call(gate, () => {
            // As through a wire.
            const text = JSON.stringify(message)
            posted.push(message)
            for (const [to, acts] of listeners) {
              const deliver = (): void => {
                for (const act of acts) act(JSON.parse(text) as Message, gate)
              }
              const waiting = held.get(to)
              if (waiting === undefined) queueMicrotask(deliver)
              else waiting.push(deliver)
            }
          }),
        onMessage: (act) => void listeners.set(gate, [...(listeners.get(gate) ?? []), act]),
        onLost() {},
      },
      replies: {
        answer: (ask, text) =>
          call(gate, () => {
            calls.answer++
            kept.set(ask, [...(kept.get(ask) ?? []), text])
          }),
        answers: (ask, from) =>
          call(gate, () => {
            calls.answers++
            return (kept.get(ask) ?? []).slice(from)
          }),
      },
      gates: {
        tell: (about) => call(gate, () => void told.set(gate, { ...about, at: clock() })),
        list: () =>
          call(gate, () =>
            [...told].map(([id, { at, ...about }]) => ({ gate: id, ...about, age: clock() - at })),
          ),
      },
    }),
    fails(why, gates) {
      trouble = why
      failing = gates
    },
    hold(gates) {
      for (const gate of gates) held.set(gate, [])
      return () => {
        for (const gate of gates) {
          const waiting = held.get(gate) ?? []
          held.delete(gate)
          for (const deliver of waiting) deliver()
        }
      }
    },
    hang() {
      hangs = true
    },
    posted,
    calls,
  }
}
