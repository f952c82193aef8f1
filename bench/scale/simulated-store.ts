import { WALK } from './audience.ts'

/** The records of a Valkey, and the walk that removes what nobody may resume. */
export interface SimulatedStore {
  /** A session was written for the first time. */
  add(record: SimulatedRecord): void
  /** The walk goes on for one second. */
  walk(now: number): void
  count(): number
}

export interface SimulatedRecord {
  /** Nobody may resume it after this time; Infinity while it plays. */
  resumableUntil: number
}

/** @param perSecond how many records the walk sees in a second */
export function createSimulatedStore(perSecond: number, random: () => number): SimulatedStore {
  /** In the order of the walk, which is no order of time. */
  const records: SimulatedRecord[] = []
  let cursor = 0
  let restUntil = 0
  let owed = 0
  return {
    add(record) {
      const place = Math.floor(random() * (records.length + 1))
      records.push(records[place] ?? record)
      records[place] = record
    },
    walk(now) {
      if (now < restUntil) return
      for (owed += perSecond; owed >= 1; owed--) {
        if (cursor >= records.length) {
          cursor = 0
          owed = 0
          restUntil = now + WALK.rest
          return
        }
        const record = records[cursor] as SimulatedRecord
        if (record.resumableUntil >= now) cursor++
        else {
          const last = records.pop() as SimulatedRecord
          if (cursor < records.length) records[cursor] = last
        }
      }
    },
    count: () => records.length,
  }
}
