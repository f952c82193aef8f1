import type { GateAbout, ListedGate, SharedStore } from '../state/shared-store.ts'

/** A gate that was heard of. */
export interface HeardGate {
  /** As in `SharedStore.gate`. */
  readonly gate: string
  readonly name: string
  readonly version: string
  readonly sessions: number
  /** Milliseconds since it was heard of. */
  readonly age: number
}

export interface RosterOptions {
  readonly shared: Pick<SharedStore, 'gate' | 'gates'>
  /** What this gate says of itself. */
  readonly about: () => GateAbout
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
}

/** Who else uses the store. It keeps what it has heard while the store is away. */
export interface Roster {
  /** The other gates that were heard of within ten minutes and have not stopped. */
  others(): readonly HeardGate[]
  /** Whether the store could not be reached last, or was not asked yet. */
  isAway(): boolean
  /** Tells and listens every two seconds. The result ends that, and says that this gate has stopped. */
  start(): () => Promise<void>
}

/** Milliseconds between two signs of life. */
const EVERY = 2_000
/** A gate that was not heard of for so many milliseconds, three signs of life, is not waited for. */
export const FRESH = 3 * EVERY
/** A gate that was not heard of for so many milliseconds is forgotten, also while the store is away. */
const FORGOTTEN = 600_000
/** How long a gate that stops tries to say so, in milliseconds. */
const FAREWELL = 500

export function createRoster({ shared, about, clock, after }: RosterOptions): Roster {
  let heard: readonly ListedGate[] = []
  let heardAt = 0
  let away = true
  let stopped = false
  let cancel = (): void => {}

  const beat = async (): Promise<void> => {
    try {
      await shared.gates.tell(about())
      const listed = await shared.gates.list()
      if (stopped) return
      heard = listed
      heardAt = clock()
      away = false
    } catch {
      // The store's own state says why.
      away = true
    }
    if (!stopped) cancel = after(EVERY, () => void beat())
  }

  return {
    others() {
      const passed = clock() - heardAt
      const all = heard
        .filter(({ gate, stopped: hasStopped }) => gate !== shared.gate && hasStopped !== true)
        .map(({ gate, name, version, sessions, age }) => ({
          gate,
          name,
          version,
          sessions,
          age: age + passed,
        }))
        .filter(({ age }) => age < FORGOTTEN)
      const fresh = new Set(all.filter(({ age }) => age <= FRESH).map(({ name }) => name))
      // A gate that was killed and started again has a new id and its old name.
      return all.filter(({ name, age }) => age <= FRESH || !(fresh.has(name) || name === about().name))
    },
    isAway: () => away,
    start() {
      void beat()
      return async () => {
        stopped = true
        cancel()
        if (away) return
        const told = shared.gates.tell({ ...about(), stopped: true }).catch(() => {})
        await Promise.race([told, new Promise<void>((resolve) => void after(FAREWELL, resolve))])
      }
    },
  }
}
