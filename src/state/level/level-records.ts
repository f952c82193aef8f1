import { createLane } from '../lane.ts'
import { MARKS, type RecordFormat } from '../record-format.ts'
import type { RecordStore, Write } from '../record-store.ts'
import type { UserText, UserTexts } from '../user-texts.ts'
import { expiryOf } from './bundle.ts'
import { type Batch, type Change, CLOCK, commit, entriesOf } from './commit.ts'
import { createGroups } from './groups.ts'
import type { Engine } from './level-engine.ts'
import type { StoreTime } from './store-time.ts'

export type Records = Pick<RecordStore, 'recall' | 'write' | 'remove' | 'mark' | 'marks' | 'slice'> & {
  readonly users: Pick<UserTexts, 'read' | 'write'>
}

/**
 * Records in an open engine. Two threads of the pool are used at most: one reads and one writes.
 *
 * All records of a viewer are one value. So one look finds them or their absence, no iterator is needed,
 * whose creation would block the event loop on a hung disk, and none is ever torn from the others.
 */
export function createRecords(engine: Engine, time: StoreTime, format: RecordFormat): Records {
  const reading = createLane()
  const look = createGroups(reading, async (groups: readonly (readonly string[])[]) => {
    const keys = [...new Set(groups.flat())]
    const values = await engine.getMany(keys)
    return new Map(keys.map((key, index) => [key, values[index]]))
  })
  const write = createGroups(createLane(), (batches: readonly Batch[]) => commit(engine, time, batches))
  const isAlive = ({ expiresAt }: { readonly expiresAt: number }): boolean => expiresAt > time.now()

  /** One process has the folder, so what is read is what is there when it is written. */
  const users: Records['users'] = {
    async read(user) {
      const keys = format.userKeysOf(user)
      const values = await look(keys)
      const [found] = keys.flatMap((key): readonly UserText[] =>
        entriesOf(key, values.get(key))
          .filter(isAlive)
          .map((entry) => ({ text: format.userTextOf(entry, key), version: entry.payload })),
      )
      return found
    },
    async write(user, text, before, keepFor) {
      const there = await users.read(user)
      const isSame = there === undefined ? before === undefined : before?.version.equals(there.version)
      if (isSame !== true) return undefined
      const [first = '', ...others] = format.userKeysOf(user)
      const entry = format.entryOfUser(text, time.now() + keepFor, first)
      const { id, payload: version } = entry
      const changes = [{ key: first, id, entry }, ...others.map((key) => ({ key, id }))]
      await write({ changes, sync: false })
      return { text, version }
    },
  }

  return {
    users,
    async recall(viewer) {
      const keys = format.keysOf(viewer)
      const values = await look(keys)
      return keys.flatMap((key) =>
        entriesOf(key, values.get(key)).flatMap((entry) => {
          const record = isAlive(entry) ? format.recordOf(entry, key) : undefined
          return record?.viewer === viewer ? [record] : []
        }),
      )
    },
    async write(writes) {
      await write({ changes: writes.flatMap(changesOf), sync: false })
      return []
    },
    async remove(removals) {
      const changes = removals.flatMap(({ viewer, id }) => format.keysOf(viewer).map((key) => ({ key, id })))
      await write({ changes, sync: true })
      return []
    },
    mark(mark) {
      const entry = format.entryOfMark(mark)
      return write({ changes: [{ key: MARKS, id: entry.id, entry }], sync: true })
    },
    async marks() {
      const values = await look([MARKS])
      return entriesOf(MARKS, values.get(MARKS)).filter(isAlive).map(format.markOf)
    },
    async slice(from, most) {
      const pairs = await reading(async () => {
        // The creation of an iterator waits for LevelDB's lock in this thread, so a look goes first.
        await engine.getMany([CLOCK])
        return engine.read(from ?? '', most)
      })
      const writes: Write[] = []
      const tidy: string[] = []
      const drop: string[] = []
      let bytes = 0
      for (const [key, value] of pairs) {
        if (key === CLOCK) continue
        if (key !== MARKS && !format.isOwn(key)) {
          const expiresAt = expiryOf(value)
          if (expiresAt === undefined || !isAlive({ expiresAt })) drop.push(key)
          else bytes += key.length + value.length
          continue
        }
        const entries = entriesOf(key, value)
        const alive = entries.filter(isAlive)
        if (alive.length < entries.length || alive.length === 0) tidy.push(key)
        if (alive.length > 0) bytes += key.length + value.length
        if (key === MARKS) continue
        for (const entry of alive) {
          const record = format.recordOf(entry, key)
          if (record !== undefined) writes.push({ record, expiresAt: entry.expiresAt })
        }
      }
      if (tidy.length + drop.length > 0) await write({ changes: [], tidy, drop, sync: false })
      const last = pairs.at(-1)?.[0]
      return { writes, bytes, next: last === undefined ? undefined : `${last}\0` }
    },
  }

  function changesOf(written: Write): Change[] {
    const { viewer, id } = written.record
    return format.keysOf(viewer).map((key, index) =>
      // What another secret named goes, so that it is not there twice.
      index === 0 ? { key, id, entry: format.entryOf(written, key) } : { key, id },
    )
  }
}
