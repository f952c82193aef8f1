import type { SessionStore } from '../state/session-store.ts'
import { number, object, readJson, text } from '../state/shape.ts'

export interface RosterOptions {
  readonly store: Pick<SessionStore, 'link' | 'vault' | 'engine'>
  /** What people call this gate: GATE_NAME. */
  readonly name: string
  /** What all gates have to have in common, hashed. */
  readonly configuration: string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Another one of these than before; none = all is well again. Each is one sentence. */
  readonly onMisfits: (misfits: readonly string[]) => void
}

/** A gate of the roster. */
export interface HeardGate {
  readonly name: string
  readonly version: string
  readonly sessions: number
  readonly page?: string
  /** Seconds since it was heard of. */
  readonly seen: number
}

/** Who uses the store, as the heartbeats of all gates have it. */
export interface Roster {
  /** The other gates, by their ids, with their names; undefined where the store is away. */
  look(): Promise<ReadonlyMap<string, string> | undefined>
  /** The other gates of the last ten minutes, by name. */
  others(): readonly HeardGate[]
  /** What does not fit between the gates, one sentence each. */
  misfits(): readonly string[]
}

/** A gate that was not heard of for so long does not answer; milliseconds. */
export const FRESH = 5_000

const about = object({ name: text, version: text, configuration: text, sessions: number }, { page: text })

export function createRoster(options: RosterOptions): Roster {
  const { link, vault, engine } = options.store
  let others: readonly HeardGate[] = []
  let heardAt = options.clock()
  let misfits: readonly string[] = []

  return {
    async look() {
      const roster = await link.roster()
      if (roster === undefined) return undefined
      const names = new Map<string, string>()
      const found: HeardGate[] = []
      const wrong = new Set<string>()
      for (const { gate, entry, age } of roster) {
        if (gate === engine.gate) continue
        const opened = vault.open(entry, engine.keys.gates)
        const one = opened === undefined ? undefined : readJson(opened, about)
        if (one === undefined) {
          if (age <= FRESH)
            wrong.add('another gate uses this Valkey and STATE_PREFIX with another STATE_SECRET')
          continue
        }
        names.set(gate, one.name)
        const { configuration, ...shown } = one
        found.push({ ...shown, seen: Math.round(age / 1_000) })
        if (configuration !== options.configuration && age <= FRESH)
          wrong.add(
            `gate ${one.name} has another configuration; its sessions and limits do not fit to those here`,
          )
      }
      others = withoutFormer(found, options.name)
      heardAt = options.clock()
      const told = [...wrong].sort()
      if (told.join() !== misfits.join()) {
        misfits = told
        options.onMisfits(told)
      }
      return names
    },
    others() {
      const passed = Math.round((options.clock() - heardAt) / 1_000)
      return others.map((one) => ({ ...one, seen: one.seen + passed }))
    },
    misfits: () => misfits,
  }
}

/** By name. A gate that was killed and started again has a new id and its old name. */
function withoutFormer(all: readonly HeardGate[], own: string): readonly HeardGate[] {
  const fresh = new Set(all.filter(({ seen }) => seen * 1_000 <= FRESH).map((one) => one.name))
  return all
    .filter(({ name, seen }) => seen * 1_000 <= FRESH || !(fresh.has(name) || name === own))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
