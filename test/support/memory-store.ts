import { setImmediate } from 'node:timers/promises'
import type { CloseMark } from '../../src/state/close-mark.ts'
import type { SessionRecord } from '../../src/state/record.ts'
import {
  type RecordStore,
  type Slice,
  StoreError,
  type StoreTrouble,
  type Write,
} from '../../src/state/record-store.ts'

export type MemoryCommand = 'open' | 'recall' | 'write' | 'remove' | 'mark' | 'marks' | 'slice'

export interface MemoryStore extends RecordStore {
  /** Its process has died: nothing that it was asked for happens any more. */
  kill(): void
}

/** A place where one store after another keeps its records, as a folder would. */
export interface MemoryPlace {
  create(configuration?: string): MemoryStore
  /** From now on these commands fail, or all of them; undefined: they work again. */
  fails(trouble: StoreTrouble | undefined, commands?: readonly MemoryCommand[]): void
  /** From now on commands wait. The result lets them go on, in their order. */
  hold(): () => Promise<void>
  /** A damaged place is set aside by the store that opens it next. */
  damage(): void
  /** Each command and what it was about, ids above all, oldest first. */
  readonly calls: readonly string[]
  /** The ids of what is kept. */
  ids(): string[]
}

interface Kept {
  readonly configuration: string
  readonly viewer: string
  readonly id: string
  readonly text: string
  readonly expiresAt: number
}

/** Store time of a pretended clock at 0: it is no clock of a process. */
const EPOCH = 1_000_000_000

/** @param clock milliseconds that go on whatever process runs */
export function createMemoryPlace(clock: () => number): MemoryPlace {
  const kept = new Map<string, Kept>()
  const marks = new Map<string, CloseMark>()
  const calls: string[] = []
  let trouble: StoreTrouble | undefined
  let failing: readonly MemoryCommand[] | undefined
  let isDamaged = false
  let held: Promise<void> | undefined
  let owner: MemoryStore | undefined
  const now = (): number => EPOCH + Math.floor(clock())

  const create = (configuration = ''): MemoryStore => {
    let isOpen = false
    let isDead = false
    let last: Promise<unknown> = Promise.resolve()

    /** One command after another. */
    const call = <Result>(command: MemoryCommand, about: readonly string[], act: () => Result) => {
      const result = last.then(async () => {
        if (held !== undefined) await held
        if (isDead) await new Promise<never>(() => {})
        calls.push([command, ...about].join(' '))
        const fails = failing?.includes(command) ?? true
        if (trouble !== undefined && fails) throw new StoreError(trouble, `pretended: ${trouble}`)
        if (!isOpen && command !== 'open') throw new StoreError('failed', 'it is not open; open it')
        return act()
      })
      last = result.catch(() => undefined)
      return result
    }

    const store: MemoryStore = {
      open: () =>
        call('open', [], () => {
          if (owner !== undefined && owner !== store) throw new StoreError('in-use', 'another has it')
          owner = store
          isOpen = true
          if (!isDamaged) return undefined
          isDamaged = false
          kept.clear()
          marks.clear()
          return 'it was damaged, and put aside'
        }),
      recall: (viewer) => call('recall', [viewer], () => alive(configuration, viewer).map(recordOf)),
      write: (writes) =>
        call('write', idsOf(writes), () => {
          for (const { record, expiresAt } of writes) {
            const { viewer, id } = record
            const text = JSON.stringify(record)
            const one = { configuration, viewer, id, text, expiresAt }
            kept.set(keyOf(one), one)
          }
          return []
        }),
      remove: (removals) =>
        call('remove', idsOf(removals.map((record) => ({ record }))), () => {
          for (const { viewer, id } of removals) kept.delete(keyOf({ configuration, viewer, id }))
          return []
        }),
      mark: (mark) =>
        call('mark', [JSON.stringify(mark.filter)], () => {
          marks.set(JSON.stringify([mark.filter, mark.at]), mark)
        }),
      marks: () =>
        call('marks', [], () => {
          for (const [key, { until }] of marks) if (until <= now()) marks.delete(key)
          return [...marks.values()]
        }),
      slice: (from, most) => call('slice', [], () => sliceOf(configuration, from ?? '', most)),
      async close() {
        isOpen = false
        if (owner === store) owner = undefined
      },
      now,
      kill() {
        isDead = true
        if (owner === store) owner = undefined
      },
    }
    return store
  }

  const alive = (configuration: string, viewer?: string): Kept[] =>
    [...kept.values()].filter(
      (one) =>
        one.configuration === configuration && (viewer ?? one.viewer) === one.viewer && one.expiresAt > now(),
    )

  const sliceOf = (configuration: string, from: string, most: number): Slice => {
    for (const [key, { expiresAt }] of kept) if (expiresAt <= now()) kept.delete(key)
    const viewers = [...new Set([...kept.values()].map(({ viewer }) => viewer))].sort()
    const writes: Write[] = []
    let bytes = 0
    let next: string | undefined
    for (const viewer of viewers.filter((one) => one > from)) {
      if (writes.length >= most) return { writes, bytes, next }
      for (const one of kept.values()) if (one.viewer === viewer) bytes += one.text.length
      for (const one of alive(configuration, viewer))
        writes.push({ record: recordOf(one), expiresAt: one.expiresAt })
      next = viewer
    }
    return { writes, bytes, next: undefined }
  }

  return {
    create,
    fails(next, commands) {
      trouble = next
      failing = commands
    },
    hold() {
      let release = (): void => {}
      held = new Promise<void>((resolve) => {
        release = resolve
      })
      return async () => {
        held = undefined
        release()
        await setImmediate()
      }
    },
    damage() {
      isDamaged = true
    },
    calls,
    ids: () => [...kept.values()].map(({ id }) => id),
  }
}

function keyOf({ configuration, viewer, id }: Pick<Kept, 'configuration' | 'viewer' | 'id'>): string {
  return JSON.stringify([configuration, viewer, id])
}

function recordOf({ text }: Kept): SessionRecord {
  return JSON.parse(text) as SessionRecord
}

function idsOf(all: readonly { readonly record: { readonly id: string } }[]): string[] {
  return all.map(({ record }) => record.id)
}
