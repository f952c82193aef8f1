import { createLane } from '../lane.ts'
import type { SessionRecord } from '../record.ts'
import type { RecordFormat } from '../record-format.ts'
import type { NotDone, Removal, Write } from '../record-store.ts'
import type { Parameter } from './connect.ts'
import type { Nodes } from './nodes.ts'
import type { RecordFields } from './record-fields.ts'
import type { Script, Scripts } from './scripts.ts'
import type { ValkeyKeys } from './valkey-keys.ts'

export interface ValkeyRecordsOptions {
  readonly nodes: Nodes
  readonly scripts: Scripts
  readonly keys: ValkeyKeys
  readonly format: RecordFormat
  readonly fields: RecordFields
  readonly gate: string
  /** Milliseconds of store time. */
  readonly now: () => number
  /** Milliseconds that a recall, and that anything else may take. */
  readonly deadlines: { readonly recall: number; readonly other: number }
}

/** The records of viewers: see `RecordStore`. */
export interface ValkeyRecords {
  recall(viewer: string): Promise<readonly SessionRecord[]>
  write(writes: readonly Write[]): Promise<readonly NotDone[]>
  remove(removals: readonly Removal[]): Promise<readonly NotDone[]>
  isUsable(viewer: string): boolean
}

/** A tombstone stays as long as something may be resumed; milliseconds. */
const KEEP_END = 25 * 3_600_000

export function createValkeyRecords(options: ValkeyRecordsOptions): ValkeyRecords {
  const { nodes, scripts, keys, format, fields, gate, now, deadlines } = options
  /** Writes and removals take effect in their order, though one may need several commands. */
  const inTurn = createLane()

  const run = async (place: string, script: Script, parameters: readonly Parameter[]): Promise<NotDone[]> => {
    const reply = await nodes.run(deadlines.other, keys.records(place), script, [gate, ...parameters])
    return fields.notDoneOf(reply, place)
  }

  /** Writes records of one viewer: under the first secret, and away from where another one names it. */
  const writeViewer = async (viewer: string, writes: readonly Write[]): Promise<readonly NotDone[]> => {
    const [place = '', ...others] = format.keysOf(viewer)
    const notDone: NotDone[] = []
    let rest = writes
    for (const other of others) {
      const said = await run(
        other,
        scripts.forget,
        rest.flatMap(({ record }) => [record.id, record.silent ? '1' : '0', timeOf(record.activeAt)]),
      )
      notDone.push(...said)
      rest = rest.filter(({ record }) => !said.some(({ id }) => id === record.id))
    }
    if (rest.length === 0) return notDone
    const said = await run(
      place,
      scripts.write,
      rest.flatMap((write) => {
        const { id, payload } = format.entryOf(write, place)
        const { silent, activeAt } = write.record
        return [id, timeOf(write.expiresAt), silent ? '1' : '0', timeOf(activeAt), payload]
      }),
    )
    return [...notDone, ...said]
  }

  const removeViewer = async (viewer: string, removals: readonly Removal[]): Promise<readonly NotDone[]> => {
    const said = await Promise.all(
      format
        .keysOf(viewer)
        .map((place) =>
          run(place, scripts.remove, [
            KEEP_END,
            ...removals.flatMap(({ id, end }) => [
              id,
              end === undefined ? '' : fields.sealEnd(end, place, id),
            ]),
          ]),
        ),
    )
    return said.flat()
  }

  /** The viewers of a batch, each with what is about it. */
  const eachViewer = async <Item>(
    items: readonly Item[],
    viewerOf: (item: Item) => string,
    idOf: (item: Item) => string,
    act: (viewer: string, own: readonly Item[]) => Promise<readonly NotDone[]>,
  ): Promise<readonly NotDone[]> => {
    nodes.checkOpen()
    const groups = new Map<string, Item[]>()
    for (const item of items) {
      const own = groups.get(viewerOf(item))
      if (own === undefined) groups.set(viewerOf(item), [item])
      else own.push(item)
    }
    const errors: unknown[] = []
    const away = (own: readonly Item[]): NotDone[] => own.map((item) => ({ id: idOf(item), why: 'away' }))
    const notDone = await Promise.all(
      [...groups].map(async ([viewer, own]) => {
        if (!isUsable(viewer)) return away(own)
        try {
          return await act(viewer, own)
        } catch (error) {
          errors.push(error)
          return away(own)
        }
      }),
    )
    // With several servers the others have done their part.
    if (errors.length > 0 && errors.length === groups.size) throw errors[0]
    return [...new Map(notDone.flat().map((one) => [one.id, one])).values()]
  }

  const isUsable = (viewer: string): boolean =>
    format.keysOf(viewer).every((place) => nodes.isUsable(keys.records(place)))

  return {
    async recall(viewer) {
      const found = await Promise.all(
        format.keysOf(viewer).map(async (place) => {
          const reply = await nodes.call(deadlines.recall, keys.records(place), 'HGETALL', [
            keys.records(place),
          ])
          return fields.recordsOf(reply, place, now())
        }),
      )
      const ended = new Set(found.flatMap((one) => one.ended))
      const records = new Map<string, SessionRecord>()
      // What the first secret names is the newest.
      for (const { writes } of found.reverse())
        for (const { record } of writes) if (!ended.has(record.id)) records.set(record.id, record)
      return [...records.values()]
    },
    write: (writes) =>
      inTurn(() =>
        eachViewer(
          writes,
          ({ record }) => record.viewer,
          ({ record }) => record.id,
          writeViewer,
        ),
      ),
    remove: (removals) =>
      inTurn(() =>
        eachViewer(
          removals,
          ({ viewer }) => viewer,
          ({ id }) => id,
          removeViewer,
        ),
      ),
    isUsable,
  }
}

/** As Lua reads it. */
function timeOf(milliseconds: number): string {
  return Math.max(0, Math.floor(milliseconds)).toFixed(0)
}
