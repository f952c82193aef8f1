import type { Session } from '../session/session.ts'
import { StoreError } from '../state/store-engine.ts'
import type { UserText, UserTexts } from '../state/user-texts.ts'
import type { Grant } from '../verdict.ts'
import type { StoredUsers } from './limit-options.ts'
import { cookieOf } from './limited-session.ts'
import { lastsUntil } from './outs.ts'
import type { Here, Outcome } from './rules.ts'
import type { Terms } from './terms.ts'
import { type LimitedSession, type LimitSettings, movedBy, nobody, type User } from './user.ts'
import { readUserText, textOfUser } from './user-text.ts'

/** What a backend sent with the last allow of a user. */
export type Sent = Pick<Grant, 'maxSessions' | 'unique'>

/** A user, and their sessions in the table of this gate. */
export interface KnownUser {
  readonly key: string
  /** In the time of the store, where there is one. */
  user: User
  sent: Sent
  readonly sessions: Map<string, { readonly session: Session; readonly limited: LimitedSession }>
  /** With a store: what is there, as far as this gate knows; null = nothing, undefined = not read yet. */
  text: UserText | null | undefined
  /** With a store: since when this gate has changed the user alone, unheard; undefined: all is told. */
  aloneAt: number | undefined
  /** When the store was told last; milliseconds of the monotonic clock. */
  toldAt: number
}

/** For whom a session counts, and how many they may have. */
export interface Counted extends Pick<KnownUser, 'key' | 'sent'> {
  readonly terms: Terms
}

/** What becomes of a user at this moment, in the time of the store. It may be called again. */
export type Rule = (user: User, now: number, known: KnownUser) => Outcome
type Then<Result> = (outcome: Outcome, known: KnownUser) => Result

export type Users = ReturnType<typeof createUsers>

/** How often a change is tried again because another gate was faster: each time one of them succeeds. */
const MOST_TRIES = 64
/** Milliseconds in which all users are looked at, and between two turns: each is short. */
const ROUND = 5_000
const TURN = 100
/** A clock that moves so far at once was set; milliseconds. */
const STEP = 5_000
const NOTHING = textOfUser(nobody)

/**
 * All users who have a limit: those of this process, or of all gates that share a store.
 * @param clock monotonic milliseconds
 * @param stored undefined: they are kept in this process alone
 */
export function createUsers(clock: () => number, settings: () => LimitSettings, stored?: StoredUsers) {
  const texts = stored?.texts
  const users = new Map<string, KnownUser>()
  const ofSession = new Map<string, KnownUser>()
  const waiting = new Map<string, Counted>()
  /** The last change of each user that is under way: one waits for the other. */
  const lanes = new Map<string, Promise<unknown>>()
  const offset = (): number => (texts === undefined ? 0 : Math.round(texts.now() - clock()))
  const now = (): number => clock() + offset()
  let lastOffset = offset()
  let steppedAt = Number.NEGATIVE_INFINITY

  /** Follows the clock of the store where it was set, or is known only now. */
  const follow = (): void => {
    const step = offset() - lastOffset
    if (Math.abs(step) <= STEP) return
    lastOffset += step
    steppedAt = clock()
    for (const known of users.values()) {
      known.user = movedBy(known.user, step)
      if (texts?.isShared) known.text = undefined
    }
  }

  /** The user, or one of whom nothing is known, who is not kept. */
  const peek = (key: string): KnownUser =>
    users.get(key) ?? {
      ...{ key, user: nobody, sent: {}, sessions: new Map() },
      ...{ text: undefined, aloneAt: undefined, toldAt: clock() },
    }

  const alone = <Result>(key: string, rule: Rule, then: Then<Result>): Result => {
    follow()
    const known = peek(key)
    users.set(key, known)
    const outcome = rule(known.user, now(), known)
    if (stored !== undefined) {
      if (known.user !== outcome.user) known.aloneAt ??= clock()
      stored.onAlone()
    }
    known.user = outcome.user
    return then(outcome, known)
  }

  const read = async (known: KnownUser, from: UserTexts): Promise<void> => {
    const there = await from.read(known.key)
    const user = there === undefined ? nobody : readUserText(there.text, now())
    known.text = there ?? null
    const all = known.aloneAt === undefined ? user : merged(user, known.user, settings().gate)
    known.user = { ...all, terms: user.terms ?? known.user.terms }
  }

  /** @throws {StoreError} */
  const together = async <Result>(key: string, rule: Rule, then: Then<Result>, store: UserTexts) => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      follow()
      const known = peek(key)
      users.set(key, known)
      // What this gate saw last is most often what is there.
      const isFresh = known.text === undefined
      if (isFresh) await read(known, store)
      const { text, aloneAt } = known
      const outcome = rule(known.user, now(), known)
      const next = textOfUser(outcome.user)
      if (aloneAt !== undefined || next !== (text?.text ?? NOTHING)) {
        known.text = undefined
        const lasts = lastsFor(outcome.user, now(), settings())
        const written = await store.write(key, next, text ?? undefined, lasts)
        if (written === undefined) continue
        known.text = written
        known.aloneAt = undefined
      } else if (store.isShared && !isFresh) {
        // What changes nothing holds only for what is there now.
        const there = await store.read(key)
        const isSame = there === undefined ? text === null : text?.version.equals(there.version)
        if (!isSame) {
          known.text = undefined
          continue
        }
      }
      users.set(key, known)
      known.user = outcome.user
      return then(outcome, known)
    }
    throw new StoreError('timeout', 'other gates change this user all the time')
  }

  return {
    get: (key: string): KnownUser | undefined => users.get(key),
    peek,
    /** The user under whom this session counts. */
    of: ({ id }: Pick<Session, 'id'>): KnownUser | undefined => ofSession.get(id),
    /** Sessions of the table, by id, that do not count now. */
    waiting,
    put(known: KnownUser, session: Session, limited: LimitedSession): void {
      waiting.delete(session.id)
      known.sessions.set(session.id, { session, limited })
      ofSession.set(session.id, known)
    },
    /** It counts no more. */
    take(known: KnownUser, { id }: Pick<Session, 'id'>): void {
      waiting.delete(id)
      known.sessions.delete(id)
      ofSession.delete(id)
    },
    count: () => users.size,
    /** Forgets the user if this gate need not know them any more. */
    tidy({ key, user, sessions, aloneAt }: KnownUser): void {
      if (sessions.size > 0) return
      if (texts === undefined && user.entries.length + user.outs.length > 0) return
      // After so long even the store has forgotten what it should have been told.
      if (aloneAt === undefined || clock() - aloneAt > settings().idle) users.delete(key)
    },
    /** Milliseconds from the monotonic clock to that of the users: the store's, or the same. */
    offset,
    now,
    /** All sessions of the user at this gate, for the rules. */
    here: ({ sessions }: KnownUser): Here[] =>
      [...sessions.values()].map(({ session, limited }) => {
        const cookie = cookieOf(session)
        const told = cookie === limited.cookie ? limited : { ...limited, cookie }
        return { session: told, since: session.since + offset(), seen: session.lastSeen + offset() }
      }),
    /**
     * Puts what the rule makes of a user in the place of what they were and, at the same moment, calls
     * `then`, whose result this is; a promise where a store has to be heard. The rule may be called again,
     * about what another gate has made of the user meanwhile.
     */
    change<Result>(key: string, rule: Rule, then: Then<Result>): Result | Promise<Result> {
      if (texts === undefined || !texts.isUsable(key)) return alone(key, rule, then)
      const inTurn = async () => {
        if (!texts.isUsable(key)) return alone(key, rule, then)
        try {
          return await together(key, rule, then, texts)
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          return alone(key, rule, then)
        }
      }
      const changing = lanes.get(key)?.then(inTurn, inTurn) ?? inTurn()
      lanes.set(key, changing)
      const leave = (): void => {
        if (lanes.get(key) === changing) lanes.delete(key)
      }
      changing.then(leave, leave)
      return changing
    },
    /**
     * Looks at all users again and again, a few in each turn. The result stops it.
     * @param after as `setTimeout`; the result cancels it
     * @param look `isAnew`: the clock of the store was set since the user was told last
     */
    lookAfterAll(
      after: (milliseconds: number, act: () => void) => () => void,
      look: (known: KnownUser, isAnew: boolean) => void,
    ): () => void {
      let round: KnownUser[] = []
      let each = 0
      const turn = (): void => {
        cancel = after(TURN, turn)
        follow()
        if (round.length === 0) {
          round = [...users.values()]
          each = Math.ceil((round.length * TURN) / ROUND)
        }
        for (const known of round.splice(0, each))
          if (users.get(known.key) === known) look(known, known.toldAt < steppedAt)
      }
      let cancel = after(TURN, turn)
      return () => cancel()
    },
  }
}

/** What others have made of a user, and what this gate has done alone meanwhile. */
function merged(there: User, here: User, gate: string): Omit<User, 'terms'> {
  const own = new Set(here.entries.map(({ id }) => id))
  const known = new Set(there.outs.map(({ id, at }) => `${id} ${at}`))
  return {
    entries: there.entries.filter((entry) => entry.gate !== gate || own.has(entry.id)),
    outs: [...there.outs, ...here.outs.filter(({ id, at }) => !known.has(`${id} ${at}`))],
  }
}

/** For how many milliseconds something is known of a user if nothing more is heard of them. */
function lastsFor({ entries, outs }: User, now: number, { idle }: LimitSettings): number {
  const until = Math.max(...entries.map(({ seen }) => seen + idle + 1), ...outs.map(lastsUntil))
  return Math.max(1_000, until - now)
}
