import type { End } from '../decision/stored.ts'
import type { Session } from '../session/session.ts'
import type { StoreClock } from './kept.ts'
import type { CloseMark } from './marks.ts'
import { type Letter, type Pulse, type StoreEngine, StoreError } from './store-engine.ts'
import type { Vault } from './vault.ts'

export interface HeartbeatOptions {
  readonly engine: StoreEngine
  readonly vault: Vault
  readonly clock: StoreClock
  /** What this gate says of itself in the roster. */
  readonly about: () => string
  /** Before it is used for the first time. Never rejects. */
  readonly prepare: () => Promise<void>
  /** It is another store than before: it was emptied, or has lost something. */
  readonly onForgotten: () => void
  /** Its clock was set, by so many milliseconds. */
  readonly onStepped: (by: number) => void
  /** There are other wide marks than this gate knows. Resolves when they are known. */
  readonly onWide: (engine: StoreEngine) => Promise<void>
  /** A letter, opened; undefined where it cannot be. */
  readonly onLetter: (text: string | undefined) => void
  /** Letters were lost. */
  readonly onCut: () => void
}

/** What gates that share a store tell each other; see fleet/. */
export interface StorePost {
  /** What this gate says of itself in the roster. */
  about(): string
  /** A letter has come. */
  heard(text: string): void
  /** A letter to the gate that has told of a session last. */
  ended(gate: string, session: Pick<Session, 'id'>, end: End): void
  /** A letter to all gates: sessions are closed. */
  marked(mark: CloseMark): void
}

/** What a gate says every quarter of a second, and what it hears. */
interface Heartbeat {
  /** @throws {StoreError} */
  pulse(): Promise<Pulse>
  /**
   * Applies what was heard, its letters too, after so many milliseconds on its way.
   * @throws {StoreError} it cannot be used
   */
  hear(heard: Pulse, took: number): Promise<void>
  /** The largest number that this gate knows. */
  number(): number
  /** The number of a new mark: the store's, or this gate's own where the store has not said one. */
  numbered(next: number | undefined): number
  /** See `Pulse`. */
  areAgesUnknown(): boolean
}

/** Bytes of letters with one heartbeat. */
const MOST_LETTERS = 262_144
/** A clock that differs by more was set; milliseconds. Less is the way that a heartbeat takes. */
const STEPPED = 5_000
const DRIFTED = 1_000

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { engine, vault, clock } = options
  let hasHeard = false
  let known = 0
  let name: string | undefined
  let have = 0
  let wide = 0
  let areAgesUnknown = false

  /** @throws {StoreError} */
  const identify = async (): Promise<void> => {
    const identity = await engine.identify(vault.identity())
    if (!vault.accept(identity))
      throw new StoreError(
        'secret',
        'the store was begun with another STATE_SECRET; write the same one on all gates, or the former one behind it',
      )
    const anew = vault.sealedAnew(identity)
    if (anew !== undefined) await engine.sealAnew(identity, anew)
    const isOther = name !== undefined && name !== identity.name
    name = identity.name
    if (isOther) options.onForgotten()
  }

  const apply = ({ number, value }: Letter): void => {
    have = Math.max(have, number)
    options.onLetter(vault.open(value, engine.keys.inbox(engine.gate)))
  }

  return {
    async pulse() {
      const entry = vault.seal(options.about(), engine.keys.gates)
      return await engine.beat({ entry, number: known, have, most: MOST_LETTERS })
    },
    async hear(heard, took) {
      known = Math.max(known, heard.number)
      areAgesUnknown = heard.areAgesUnknown === true
      const offset = Math.round(heard.time - clock.now() + took / 2)
      const by = offset - clock.offset
      // What was long on its way says little of the time.
      const counts = took < DRIFTED || !hasHeard
      if (!hasHeard || (counts && Math.abs(by) > DRIFTED)) clock.offset = offset
      if (hasHeard && counts && Math.abs(by) > STEPPED) options.onStepped(by)
      if (heard.store === undefined || heard.store !== name) {
        have = 0
        wide = 0
        await identify()
      }
      if (!hasHeard) await options.prepare()
      if (heard.wide !== wide) {
        await options.onWide(engine)
        wide = heard.wide
      }
      for (const letter of heard.letters) apply(letter)
      if (heard.cut && hasHeard) options.onCut()
      hasHeard = true
    },
    number: () => known,
    numbered(next) {
      known = Math.max(known + (next === undefined ? 1 : 0), next ?? 0)
      return known
    },
    areAgesUnknown: () => areAgesUnknown,
  }
}
