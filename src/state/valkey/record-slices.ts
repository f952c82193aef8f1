import type { Slice, Write } from '../record-store.ts'
import { StoreError } from '../record-store.ts'
import type { Nodes } from './nodes.ts'
import type { ValkeyRecordsOptions } from './valkey-records.ts'

/** Walks through all records: see `RecordStore.slice`. */
export type RecordSlices = (from: string | undefined, most: number) => Promise<Slice>

/**
 * One server after the other, by SCAN. While a secret is rotated, a viewer may be in two slices.
 */
export function createRecordSlices(
  options: Pick<ValkeyRecordsOptions, 'nodes' | 'scripts' | 'keys' | 'fields' | 'now' | 'deadlines'>,
): RecordSlices {
  const { nodes, scripts, keys, fields, now, deadlines } = options

  return async (from, most) => {
    const [server, cursor] = from === undefined ? [serversOf(nodes)[0], '0'] : readNext(from)
    if (server === undefined) throw new StoreError('refused', 'no server of the store is known')
    const reply = await nodes.callServer(deadlines.other, server, 'SCAN', [
      cursor,
      ...['MATCH', keys.allRecords, 'COUNT', Math.max(1, most)],
    ])
    const [next, found] = reply as readonly [Buffer, readonly Buffer[]]
    const parts = await Promise.all(
      found.map(async (name) => {
        const key = name.toString()
        const place = keys.placeOf(key)
        if (place === undefined) return { writes: [], bytes: 0 }
        return fields.recordsOf(await nodes.run(deadlines.other, key, scripts.prune, []), place, now())
      }),
    )
    const writes: Write[] = parts.flatMap((part) => part.writes)
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
    return { writes, bytes, next: nextOf(nodes, server, next.toString()) }
  }
}

function serversOf(nodes: Nodes): readonly string[] {
  return nodes
    .states()
    .map(({ name }) => name)
    .sort()
}

function readNext(from: string): readonly [server: string, cursor: string] {
  const space = from.lastIndexOf(' ')
  return [from.slice(0, space), from.slice(space + 1)]
}

function nextOf(nodes: Nodes, server: string, cursor: string): string | undefined {
  if (cursor !== '0') return `${server} ${cursor}`
  const next = serversOf(nodes).find((name) => name > server)
  return next === undefined ? undefined : `${next} 0`
}
