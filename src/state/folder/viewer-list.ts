import { MOST_OF_VIEWER, type SessionState } from '../store-engine.ts'

/** One session of a viewer, as the list of them says. */
interface Entry {
  readonly id: string
  readonly credential: string
  readonly state: SessionState
  readonly change: number
  /** Bytes of its key and value. */
  readonly bytes: number
  /** Milliseconds of store time: when it changed, and until when it is kept. */
  readonly at: number
  readonly until: number
}

const states: readonly SessionState[] = ['playing', 'silent', 'left']
/** Bytes of an id (22), a credential (8), a state, the number of the change, the size, and two times. */
const ENTRY = 22 + 8 + 1 + 4 + 4 + 8 + 8
const ID = 22
const CREDENTIAL = 8

/** The list of a viewer's sessions as one value: entries of equal length, so that one is changed in place. */
export interface ViewerList {
  all(): readonly Entry[]
  get(id: string): Entry | undefined
  put(entry: Entry): void
  remove(id: string): Entry | undefined
  /** Removes what is too much or over at this time, and returns it. */
  bound(now: number): readonly Entry[]
  isEmpty(): boolean
  /** Until when the list is needed. */
  until(): number
  readonly value: Buffer
}

export function createViewerList(value: Buffer | undefined): ViewerList {
  let list = value !== undefined && value.length % ENTRY === 0 ? value : Buffer.alloc(0)

  const placeOf = (id: string): number => {
    for (let at = list.indexOf(id, 0, 'latin1'); at !== -1; at = list.indexOf(id, at + 1, 'latin1'))
      if (at % ENTRY === 0) return at
    return -1
  }

  const read = (at: number): Entry => {
    const [credentialAt, stateAt] = [at + ID, at + ID + CREDENTIAL]
    return {
      id: list.toString('latin1', at, credentialAt).trimEnd(),
      credential: list.toString('latin1', credentialAt, stateAt).trimEnd(),
      state: states[list[stateAt] ?? 0] ?? 'playing',
      change: list.readUInt32LE(stateAt + 1),
      bytes: list.readUInt32LE(stateAt + 5),
      at: list.readDoubleLE(stateAt + 9),
      until: list.readDoubleLE(stateAt + 17),
    }
  }

  const all = (): Entry[] => {
    const entries: Entry[] = []
    for (let at = 0; at < list.length; at += ENTRY) entries.push(read(at))
    return entries
  }

  const remove = (id: string): Entry | undefined => {
    const at = placeOf(id)
    if (at === -1) return undefined
    const entry = read(at)
    list = Buffer.concat([list.subarray(0, at), list.subarray(at + ENTRY)])
    return entry
  }

  return {
    all,
    get(id) {
      const at = placeOf(id)
      return at === -1 ? undefined : read(at)
    },
    put({ id, credential, state, change, bytes, at: changedAt, until }) {
      const entry = Buffer.alloc(ENTRY)
      entry.write(id.padEnd(ID).slice(0, ID), 0, 'latin1')
      entry.write(credential.padEnd(CREDENTIAL).slice(0, CREDENTIAL), ID, 'latin1')
      const stateAt = ID + CREDENTIAL
      entry.writeUInt8(states.indexOf(state), stateAt)
      entry.writeUInt32LE(change >>> 0, stateAt + 1)
      entry.writeUInt32LE(bytes, stateAt + 5)
      entry.writeDoubleLE(changedAt, stateAt + 9)
      entry.writeDoubleLE(until, stateAt + 17)
      const at = placeOf(id)
      if (at === -1) list = Buffer.concat([list, entry])
      else entry.copy(list, at)
    },
    remove,
    bound(now) {
      const over: Entry[] = []
      const most = MOST_OF_VIEWER
      const entries = list.length / ENTRY
      // Without a look at each: a record has 8 KB at most.
      if (entries <= most.bytes / 8_192) return over
      let bytes = 0
      const alive = all()
      for (const entry of alive) {
        bytes += entry.bytes
        if (entry.until <= now) over.push(entry)
      }
      bytes -= over.reduce((sum, entry) => sum + entry.bytes, 0)
      let count = alive.length - over.length
      if (count > most.sessions || bytes > most.bytes)
        for (const entry of inOrderOfGoing(alive.filter(({ until }) => until > now))) {
          if (count <= most.sessions && bytes <= most.bytes) break
          over.push(entry)
          count -= 1
          bytes -= entry.bytes
        }
      for (const { id } of over) remove(id)
      return over
    },
    isEmpty: () => list.length === 0,
    until() {
      let latest = 0
      for (let at = ENTRY; at <= list.length; at += ENTRY)
        latest = Math.max(latest, list.readDoubleLE(at - 8))
      return latest
    },
    get value() {
      return list
    },
  }
}

/**
 * Left before silent before playing ones, then those of the credential that has most, so that one token does
 * not push out the other guests of a hotel, then those that changed longest ago.
 */
function inOrderOfGoing(entries: readonly Entry[]): readonly Entry[] {
  const counts = new Map<string, number>()
  for (const { credential } of entries) counts.set(credential, (counts.get(credential) ?? 0) + 1)
  const rank = ({ state }: Entry): number => states.indexOf(state)
  return [...entries].sort(
    (a, b) =>
      rank(b) - rank(a) || (counts.get(b.credential) ?? 0) - (counts.get(a.credential) ?? 0) || a.at - b.at,
  )
}
