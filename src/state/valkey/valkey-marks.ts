import type { CloseMark } from '../close-mark.ts'
import { readFilter } from '../read-record.ts'
import type { Seal } from '../seal.ts'
import type { Nodes } from './nodes.ts'
import { expiryOf, sealedOf } from './record-fields.ts'
import type { Scripts } from './scripts.ts'

export interface ValkeyMarksOptions {
  readonly nodes: Pick<Nodes, 'call' | 'run'>
  readonly scripts: Scripts
  readonly key: string
  readonly seal: Seal
  /** Milliseconds of store time. */
  readonly now: () => number
  /** Milliseconds that a call may take. */
  readonly deadline: number
}

export interface ValkeyMarks {
  mark(mark: CloseMark): Promise<void>
  marks(): Promise<readonly CloseMark[]>
}

const NAME = 22
const MOST = 1_000

export function createValkeyMarks(options: ValkeyMarksOptions): ValkeyMarks {
  const { nodes, scripts, key, seal, now, deadline } = options
  const placeOf = (id: string): string => `marks ${id}`

  return {
    async mark(mark) {
      const text = JSON.stringify(mark)
      const id = seal.names(text, NAME)[0] as string
      const until = Math.floor(mark.until).toFixed(0)
      await nodes.run(deadline, key, scripts.put, [id, until, seal.seal(text, placeOf(id)), MOST])
    },
    async marks() {
      const all = (await nodes.call(deadline, key, 'HGETALL', [key])) as readonly Buffer[]
      const marks: CloseMark[] = []
      for (let at = 0; at < all.length; at += 2) {
        const [id, value] = [String(all[at]), all[at + 1] as Buffer]
        const text = expiryOf(value) > now() ? seal.open(sealedOf(value, 1), placeOf(id)) : undefined
        if (text !== undefined) marks.push(readMark(text))
      }
      return marks.filter(({ until }) => until > now())
    },
  }
}

/** What another release has written of a filter that this one does not know may be about any session. */
function readMark(text: string): CloseMark {
  const { filter, at, until } = JSON.parse(text) as Record<keyof CloseMark, unknown>
  return { filter: readFilter(JSON.stringify(filter)) ?? {}, at: Number(at), until: Number(until) }
}
