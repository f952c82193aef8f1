import { randomBytes } from 'node:crypto'
import type { End } from '../decision/stored.ts'
import type { StorePost } from '../state/heartbeat.ts'
import { type ClosedFilter, type CloseMark, readFilter } from '../state/marks.ts'
import { readEnd } from '../state/record.ts'
import type { SessionStore } from '../state/session-store.ts'
import { anything, number, object, oneOf, readJson, text } from '../state/shape.ts'
import { createRoster, type Roster, type RosterOptions } from './roster.ts'

/** What gates ask each other. A name is never given another meaning: gates of two releases may meet. */
export type Asking = 'sessions' | 'session' | 'close-session'

/**
 * How this gate answers a question. The parameters are as another gate has sent them, so that they have to be
 * read with care. The result is plain data of so many bytes at most; undefined: no answer.
 */
export type Answerer = (parameters: unknown, most: number) => unknown

interface FleetOptions extends RosterOptions {
  readonly store: Pick<SessionStore, 'link' | 'vault' | 'engine' | 'heardMark' | 'heardEnd'>
  readonly version: string
  /** Where its live page is; undefined where only its own machine reaches it. */
  readonly page: string | undefined
  /** How many sessions this gate has. */
  readonly sessions: () => number
  readonly answerers: () => Readonly<Record<Asking, Answerer>>
  /** Ends what the default action has let in, and the store does not know. Returns how many. */
  readonly closeProvisional: (filter: ClosedFilter) => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  readonly onInternalError: (error: unknown) => void
}

/** Whether a gate has answered. */
export interface AskedGate {
  readonly name: string
  readonly answered: boolean
}

/** What another gate has said: it may be of another release. */
interface Reply {
  readonly name: string
  readonly value: unknown
}

export interface Asked {
  readonly others: readonly Reply[]
  /** All gates of the last ten minutes, by name, this one included. */
  readonly gates: readonly AskedGate[]
  /** All of them have answered. False while the store is away. */
  readonly complete: boolean
}

/** All gates that use one store, as this one sees them. */
export interface Fleet extends StorePost, Pick<Roster, 'others' | 'misfits'> {
  readonly name: string
  /** Asks all other gates, and waits for a second at most. */
  ask(what: Asking, parameters: object): Promise<Asked>
  /** What the other gates have answered to a close of this number, within half a second. */
  closed(number: number): Promise<Asked>
  /** Whether the store cannot be reached. */
  isAway(): boolean
  /** Begins to look who is there. The result ends that. */
  start(): () => void
}

/** Milliseconds: how long answers are waited for, and between two looks for them. */
const PATIENCE = { ask: 1_000, close: 500 }
const HURRY = 25
/** Milliseconds between two looks at the roster, and until a letter that was not posted is tried again. */
const LOOK_EVERY = 2_000
const TRY_AGAIN = 1_000
/** Bytes of all answers together. */
const MOST_OF_ANSWERS = 1_048_576
const MOST_CLOSINGS = 1_000

const kinds = object({ kind: oneOf(['ended', 'ask', 'answer'] as const) })
const endedShape = object({ id: text, end: readEnd })
const askShape = object({ ask: text, what: text, from: text, parameters: anything, most: number })
const answerShape = object({ ask: text, gate: text, name: text, value: anything })
const closeShape = object({ filter: readFilter, number })

/** A question that is under way. */
interface Begun {
  /** The gates that were asked, with their names; undefined where the store is away. */
  readonly posted: Promise<ReadonlyMap<string, string> | undefined>
  readonly answers: Map<string, Reply>
}

export function createFleet(options: FleetOptions): Fleet {
  const { store, name, clock, after } = options
  const { link, vault, engine } = store
  const asked = new Map<string, Begun>()
  const closings = new Map<number, Begun>()
  const roster = createRoster(options)
  let stopped = false

  const seal = (gate: string, letter: object) => ({
    gate,
    value: vault.seal(JSON.stringify(letter), engine.keys.inbox(gate)),
  })

  const post = async (gates: readonly string[], letter: object): Promise<boolean> => {
    if (gates.length === 0) return true
    const done = await link.use('tell', (open) => open.post(gates.map((gate) => seal(gate, letter))))
    return done !== undefined
  }

  /** A letter that must arrive: what it says stands in the store, too, so it may come late. */
  const postUntilDone = async (gates: readonly string[], letter: object): Promise<void> => {
    if (!(await post(gates, letter)) && !stopped)
      after(TRY_AGAIN, () => void postUntilDone(gates, letter).catch(options.onInternalError))
  }

  const begin = (what: Asking | 'close', parameters: object): Begun => {
    const ask = randomBytes(16).toString('base64url')
    const letter = { kind: 'ask', ask, what, from: engine.gate, parameters }
    const answers = new Map<string, Reply>()
    const posted = roster.look().then(async (gates) => {
      if (gates === undefined) return undefined
      const most = Math.floor(MOST_OF_ANSWERS / (gates.size + 1))
      return (await post([...gates.keys()], { ...letter, most })) ? gates : undefined
    })
    const begun = { posted, answers }
    asked.set(ask, begun)
    after(2 * PATIENCE.ask, () => asked.delete(ask))
    return begun
  }

  const finish = async ({ posted, answers }: Begun, patience: number): Promise<Asked> => {
    const until = clock() + patience
    const gates = await Promise.race([posted, pause(patience)])
    while (gates !== undefined && answers.size < gates.size && clock() < until && link.isUsable()) {
      await link.hurry()
      if (answers.size < gates.size) await pause(HURRY)
    }
    const silent = [...(gates ?? new Map<string, string>())].filter(([gate]) => !answers.has(gate))
    const all = [
      { name, answered: true },
      ...[...answers.values()].map((one) => ({ name: one.name, answered: true })),
      ...silent.map(([, other]) => ({ name: other, answered: false })),
      // Nobody was asked while the store is away.
      ...(gates === undefined ? roster.others().map((one) => ({ name: one.name, answered: false })) : []),
    ]
    return {
      others: [...answers.values()],
      gates: all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
      complete: gates !== undefined && silent.length === 0,
    }
  }

  const answerOf = (what: string): Answerer | undefined => {
    const answerers = options.answerers()
    return Object.hasOwn(answerers, what) ? answerers[what as Asking] : undefined
  }

  /** What has come before changes nothing, so that nobody gains by sending it again. */
  const close = (parameters: unknown): object | undefined => {
    const mark = closeShape(parameters)
    if (mark === undefined) return undefined
    const closed = store.heardMark(mark)
    return { closed: closed === undefined ? 0 : closed + options.closeProvisional(mark.filter) }
  }

  const answer = async (letter: string): Promise<void> => {
    const read = readJson(letter, askShape)
    if (read === undefined) return
    const { ask, what, from, parameters, most } = read
    const value = what === 'close' ? close(parameters) : await answerOf(what)?.(parameters, most)
    if (value === undefined) return
    await post([from], { kind: 'answer', ask, gate: engine.gate, name, value })
  }

  const pause = (milliseconds: number): Promise<undefined> =>
    new Promise((resolve) => void after(milliseconds, () => resolve(undefined)))

  return {
    name,
    about() {
      const { version, configuration, page } = options
      const said = { name, version, configuration, sessions: options.sessions() }
      return JSON.stringify(page === undefined ? said : { ...said, page })
    },
    heard(letter) {
      switch (readJson(letter, kinds)?.kind) {
        case 'ended': {
          const read = readJson(letter, endedShape)
          if (read !== undefined) store.heardEnd(read.id, read.end)
          return
        }
        case 'ask':
          void answer(letter).catch(options.onInternalError)
          return
        case 'answer': {
          const read = readJson(letter, answerShape)
          if (read !== undefined) asked.get(read.ask)?.answers.set(read.gate, read)
        }
      }
    },
    ended(gate, { id }, end: End) {
      void postUntilDone([gate], { kind: 'ended', id, end }).catch(options.onInternalError)
    },
    marked({ filter, number: of }: CloseMark) {
      const begun = begin('close', { filter, number: of })
      closings.set(of, begun)
      const [oldest] = closings.keys()
      if (closings.size > MOST_CLOSINGS && oldest !== undefined) closings.delete(oldest)
      void begun.posted.then((gates) => {
        if (gates === undefined && !stopped) after(TRY_AGAIN, () => this.marked({ filter, number: of }))
      }, options.onInternalError)
    },
    ask: (what, parameters) => finish(begin(what, parameters), PATIENCE.ask),
    closed: (of) =>
      finish(closings.get(of) ?? { posted: Promise.resolve(undefined), answers: new Map() }, PATIENCE.close),
    others: roster.others,
    misfits: roster.misfits,
    isAway: () => !link.state().usable,
    start() {
      let cancel = (): void => {}
      const again = (): void => {
        if (!stopped) cancel = after(LOOK_EVERY, () => void roster.look().then(again, again))
      }
      void roster.look().then(again, again)
      return () => {
        stopped = true
        cancel()
      }
    },
  }
}
