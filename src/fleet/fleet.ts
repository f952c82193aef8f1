import { randomBytes } from 'node:crypto'
import type { SharedStore } from '../state/shared-store.ts'
import { type Answerer, answerAsks, askOf, type Parameters } from './answer-asks.ts'
import { collect, type Reply } from './collect.ts'
import { createRoster, FRESH, type HeardGate } from './roster.ts'

export interface FleetOptions {
  readonly shared: Pick<SharedStore, 'gate' | 'messages' | 'replies' | 'gates'>
  /** What people call this gate: GATE_NAME. */
  readonly name: string
  readonly version: string
  /** How many sessions this gate has. */
  readonly sessions: () => number
  /** What this gate answers to others. */
  readonly answerers: Readonly<Record<string, Answerer>>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** Turns a time of the monotonic clock into milliseconds of store time. */
  readonly toStoreTime: (monotonic: number) => number
  readonly onInternalError: (error: unknown) => void
}

/** Whether a gate has answered. */
export interface AskedGate {
  readonly name: string
  readonly answered: boolean
}

/** What all gates have said. */
export interface Asked<Value> {
  readonly own: Value
  /** Of the other gates. They may be of another release: read them with care. */
  readonly others: readonly Reply[]
  /** All gates that were heard of within ten minutes, by name, this one included. */
  readonly gates: readonly AskedGate[]
  /** All gates that were heard of in the last seconds have answered. False while the store is away. */
  readonly complete: boolean
}

/** All gates that use one store, as this one sees them. */
export interface Fleet {
  readonly name: string
  /**
   * Asks all gates; resolves when all have answered whom it has just heard of, but never waits for others
   * for more than 500 ms. While the store is away the answer is this gate's alone.
   * @param own this gate's own answer, which needs no store
   * @throws what `own` throws
   */
  ask<Value>(what: string, parameters: Parameters, own: () => Value | Promise<Value>): Promise<Asked<Value>>
  /** The other gates that were heard of within ten minutes. */
  others(): readonly HeardGate[]
  /** Whether the store could not be reached last. */
  isAway(): boolean
  /** Begins to tell, to listen and to answer. The result ends that. */
  start(): () => Promise<void>
}

/** How long others are waited for, in milliseconds. */
const PATIENCE = 500

export function createFleet(options: FleetOptions): Fleet {
  const { shared, name, version, sessions, clock, after, toStoreTime } = options
  const about = () => ({ name, version, sessions: sessions() })
  const roster = createRoster({ shared, about, clock, after })

  const askOthers = async (what: string, parameters: Parameters, from: ReadonlySet<string>) => {
    const ask = randomBytes(16).toString('base64url')
    const posted = shared.messages.post(askOf(ask, what, parameters, toStoreTime(clock()))).then(
      () => true,
      () => false,
    )
    if (from.size === 0) return []
    const cancels: (() => void)[] = []
    const pause = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => void cancels.push(after(milliseconds, resolve)))
    const over = pause(PATIENCE)
    const wasPosted = await Promise.race([posted, over.then(() => false)])
    const replies = wasPosted ? await collect({ replies: shared.replies, ask, from, over, pause }) : []
    for (const cancel of cancels) cancel()
    return replies
  }

  return {
    name,
    async ask(what, parameters, own) {
      const heard = roster.others()
      const away = roster.isAway()
      const from = new Set(heard.filter(({ age }) => age <= FRESH).map(({ gate }) => gate))
      const answer = Promise.resolve().then(own)
      const [value, others] = await Promise.all([answer, away ? [] : askOthers(what, parameters, from)])
      const answered = new Set(others.map(({ gate }) => gate))
      const silent = heard.filter(({ gate }) => !answered.has(gate))
      const gates = [
        ...[{ name }, ...others].map((one) => ({ name: one.name, answered: true })),
        ...silent.map((one) => ({ name: one.name, answered: false })),
      ]
      return {
        ...{ own: value, others },
        gates: gates.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
        complete: !away && silent.every(({ gate }) => !from.has(gate)),
      }
    },
    others: roster.others,
    isAway: roster.isAway,
    start() {
      const stopAnswering = answerAsks({ ...options, now: () => toStoreTime(clock()) })
      const stopTelling = roster.start()
      return async () => {
        stopAnswering()
        await stopTelling()
      }
    },
  }
}
