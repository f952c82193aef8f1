import type { Gone } from '../../src/limit/rules.ts'
import type { User } from '../../src/limit/user.ts'
import { readUserText } from '../../src/limit/user-text.ts'
import type { Session } from '../../src/session/session.ts'
import { createChance } from './create-chance.ts'
import { createIds } from './create-ids.ts'
import { createLimitedGate, type LimitedGate, type LimitedGateOptions } from './limited-gate.ts'
import {
  createPretendUserValues,
  type PretendConnection,
  type PretendUserValues,
} from './pretend-user-values.ts'

export interface SharedGatesOptions extends Omit<LimitedGateOptions, 'shared' | 'newSessionId'> {
  readonly gates?: number
  /** Of how the store's answers and the messages take turns. */
  readonly seed?: number
  /** Milliseconds between two moments at which the store is quiet; 250 unless given. */
  readonly step?: number
}

export interface SharedGate extends LimitedGate {
  readonly connection: PretendConnection
  /** What this gate has told the others, whether they heard it or not. */
  readonly told: readonly Gone[]
  /** How often a user was judged by this gate alone. */
  alone(): number
  /** Whether others hear what it tells from now on. */
  heard(isHeard: boolean): void
}

/** Limited gates that share a store and messages. Each has a clock of its own. */
export interface SharedGates {
  readonly all: readonly SharedGate[]
  readonly values: PretendUserValues
  /** Lets time pass at all gates: in small steps, each until the store is quiet. */
  pass(milliseconds: number): Promise<void>
  /** Resolves when nothing is under way. */
  quiet(): Promise<void>
  /** The clock of the store is set by so many milliseconds. */
  setClock(by: number): void
  /** Time of the store. */
  now(): number
  /** The sessions of a user in all tables. */
  sessions(user?: string): readonly Session[]
  /** What is kept of a user, in the time of the store. */
  user(user?: string): User
}

/** The clocks of two gates differ by so much. */
const BETWEEN_CLOCKS = 10_000
/** Milliseconds that a message takes at most. */
const LATEST_MESSAGE = 20
/** For so long a record knows what was told too early; milliseconds. */
const EARLIEST = 10_000

export function createSharedGates(options: SharedGatesOptions = {}): SharedGates {
  const { gates: count = 2, seed = 1, step: each = 250, ...rest } = options
  const chance = createChance(seed)
  const newSessionId = createIds(createChance(seed + 1))
  let passed = 0
  // As a real one: far from the clock of any process.
  let skew = 0
  const now = (): number => 1_000_000_000 + passed + skew
  const values = createPretendUserValues(seed + 2, now)
  let messages: { readonly at: number; readonly to: SharedGate; readonly gone: Gone }[] = []

  const create = (n: number): SharedGate => {
    const connection = values.connect()
    const told: Gone[] = []
    let alone = 0
    let isHeard = true
    const gate = createLimitedGate({
      ...{ limit: {}, ...rest, newSessionId },
      shared: {
        texts: connection,
        gate: `gate ${n}`,
        endElsewhere(gone) {
          told.push(gone)
          if (!isHeard || !connection.isUsable('')) return
          for (const to of all)
            if (to !== one) messages.push({ at: passed + Math.ceil(chance() * LATEST_MESSAGE), to, gone })
        },
        onAlone: () => void alone++,
      },
    })
    gate.pass(n * BETWEEN_CLOCKS)
    const one: SharedGate = {
      ...{ ...gate, connection, told },
      alone: () => alone,
      heard(next) {
        isHeard = next
      },
    }
    return one
  }
  const all: SharedGate[] = []
  for (let n = 0; n < count; n++) all.push(create(n))

  /** Who is cut off hears of it when it is back. */
  const deliver = (): void => {
    // What comes before the session is in the table is in its record then.
    const isThere = ({ at, to, gone }: (typeof messages)[number]): boolean =>
      [...to.sessions.all()].some(({ id }) => id === gone.id) || at < passed - EARLIEST
    const due = messages.filter((one) => one.at <= passed && one.to.connection.isUsable('') && isThere(one))
    messages = messages.filter((one) => !due.includes(one))
    for (const { to, gone } of due) to.limit?.displacedElsewhere(gone)
  }

  return {
    ...{ all, values, now },
    async pass(milliseconds) {
      for (let left = milliseconds; left > 0; left -= each) {
        const step = Math.min(each, left)
        passed += step
        for (const gate of all) gate.pass(step)
        await values.quiet()
        deliver()
        await values.quiet()
      }
    },
    quiet: values.quiet,
    setClock(by) {
      skew += by
    },
    sessions: (user = '42') =>
      all.flatMap((gate) => [...gate.sessions.all()].filter(({ userId }) => userId === user)),
    user: (user = '42') => readUserText(values.text(`\n${user}`) ?? '', now()),
  }
}
