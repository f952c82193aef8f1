import type { SessionRecord } from './record.ts'
import type { RecordStore, Write } from './record-store.ts'

/** What `takeAlong` has done. */
export interface TakenAlong {
  readonly sessions: number
}

/** Records of one step. The next ones are read when these are written. */
const AT_ONCE = 250

/**
 * Moves the sessions of one store, and the closings, to another one: viewers who play go on where their gate
 * is the first time with a store that gates share. What has ended there does not come back.
 *
 * It may be broken off at any time, and done again.
 * @throws {StoreError}
 */
export async function takeAlong(from: RecordStore, to: RecordStore): Promise<TakenAlong> {
  const shift = Math.round(to.now() - from.now())
  for (const { filter, at, until } of await from.marks())
    await to.mark({ filter, at: at + shift, until: until + shift })
  let sessions = 0
  for (let next: string | undefined, more = true; more; ) {
    const slice = await from.slice(next, AT_ONCE)
    const notDone = new Set(
      (await to.write(slice.writes.map((write) => moved(write, shift)))).map(({ id }) => id),
    )
    sessions += slice.writes.length - notDone.size
    await from.remove(slice.writes.map(({ record: { viewer, id } }) => ({ viewer, id })))
    next = slice.next
    more = next !== undefined
  }
  return { sessions }
}

/** A record by another clock. */
function moved({ record, expiresAt }: Write, by: number): Write {
  const { openedAt, lastSeen, activeAt, dueAt, failure, allowedAt, limited } = record
  const there: SessionRecord = {
    ...record,
    openedAt: openedAt + by,
    lastSeen: lastSeen + by,
    activeAt: activeAt + by,
    dueAt: dueAt === null ? null : dueAt + by,
    allowedAt: allowedAt + by,
    ...(failure && {
      failure: { ...failure, at: failure.at + by, holdsUntil: failure.holdsUntil + by },
    }),
    ...(limited && { limited: { ...limited, entered: limited.entered + by } }),
  }
  return { record: there, expiresAt: expiresAt + by }
}
