import { playsOf } from '../../src/limit/plays.ts'
import { change, type Gone, type Opening, type Outcome, pruned } from '../../src/limit/rules.ts'
import type { Policy } from '../../src/limit/terms.ts'
import {
  type LimitedSession,
  type LimitSettings,
  movedBy,
  nobody,
  timesOf,
  type User,
} from '../../src/limit/user.ts'

/** The rules; a mutant of them has the same shape. */
export const rules = { change, playsOf, pruned, timesOf }
export type LimitRules = typeof rules

export interface PretendUserOptions {
  readonly max?: number
  readonly policy?: Policy
  readonly settings?: Partial<LimitSettings>
  readonly rules?: LimitRules
  readonly onLooked?: () => void
}

export type Coming = Pick<Opening, 'since' | 'seen' | 'tokenless'>

/** A session in the pretended gate's table: its player requests something every so many milliseconds. */
interface Row {
  readonly session: LimitedSession
  /** Asked for without a pause since, as the session table notes it. */
  asked: number
  playing: number
  every: number
  /** When its player stopped; undefined while it plays. */
  lastSeen: number | undefined
}

export type Opened = { readonly id: string; readonly refused: Outcome['refused'] }

/** As shipped, for one gate. */
export const SHIPPED: LimitSettings = { idle: 120_000, report: 0, gate: '', unseen: 0, isReport: false }
/** Milliseconds between two looks at a user with several sessions. */
const LOOK = 5_000

/**
 * One user with players, and what a gate by itself does for them: it admits each opening, ends who is put
 * out, looks every few seconds, and ends what is silent. The clock is pretended.
 */
export function createPretendUser(options: PretendUserOptions = {}) {
  const { max = 1, policy = 'newest', rules: used = rules, onLooked = () => {} } = options
  const settings = { ...SHIPPED, ...options.settings }
  const times = used.timesOf(settings, [])
  const rows = new Map<string, Row>()
  const displaced: (Gone & { readonly at: number; readonly seen: number })[] = []
  let terms = { max, policy }
  let user: User = nobody
  let now = 1_000_000
  let nextLook = now + LOOK
  let opened = 0

  const seenOf = ({ playing, every, lastSeen }: Row): number =>
    lastSeen ?? playing + Math.floor((now - playing) / every) * every
  const here = () =>
    [...rows.values()].map((row) => ({ session: row.session, since: row.asked, seen: seenOf(row) }))

  /** It is requested now. Who pauses for so long has left, and is there since now. */
  const ask = (row: Row): void => {
    if (now - seenOf(row) >= times.pause) row.asked = now
  }

  const end = (gone: readonly Gone[]): void => {
    for (const one of gone) {
      const row = rows.get(one.id)
      displaced.push({ ...one, at: now, seen: row === undefined ? 0 : seenOf(row) })
      rows.delete(one.id)
    }
  }

  const look = (): void => {
    const result = used.change(user, { what: 'look', here: here() }, now, settings)
    user = result.user
    end(result.gone)
    onLooked()
  }

  const sweep = (): void => {
    for (const [id, row] of rows) if (now - seenOf(row) > settings.idle) rows.delete(id)
    user = used.pruned(user, now, settings)
  }

  return {
    times,
    displaced,
    now: () => now,
    user: () => user,
    /** The gate's own terms from the next opening on. */
    allow: (next: Partial<typeof terms>) => {
      terms = { ...terms, ...next }
    },

    /** Lets time pass: who plays goes on, and the gate looks. */
    pass(milliseconds: number): void {
      const until = now + milliseconds
      while (nextLook <= until) {
        now = Math.max(now, nextLook)
        nextLook += LOOK
        sweep()
        look()
      }
      now = until
      sweep()
    },

    /** A session is allowed by the backend, and opens if the rules let it in. */
    open(session: LimitedSession, coming: Coming = {}, every = 2_000): Opened {
      const opening = { what: 'opening', session, terms, here: here(), ...coming } as const
      const result = used.change(user, opening, now, settings)
      user = result.user
      end(result.gone)
      const { refused } = result
      const { since = now, seen: lastSeen } = coming
      if (refused !== undefined) rows.delete(session.id)
      else rows.set(session.id, { session, asked: since, playing: lastSeen ?? now, every, lastSeen })
      return { id: session.id, refused }
    },

    /** A session of this viewer at this place, opened now. */
    start(
      viewer: string,
      place: string,
      more: Partial<LimitedSession> = {},
      coming?: Coming,
      every?: number,
    ) {
      return this.open(session(viewer, place, { id: `s${opened++}`, ...more }), coming, every)
    },

    /** Its player falls silent. */
    stop(id: string): void {
      const row = rows.get(id)
      if (row !== undefined) row.lastSeen = seenOf(row)
    },

    /** Its player goes on, on the session that it has. False if that has ended. */
    resume(id: string): boolean {
      const row = rows.get(id)
      if (row === undefined) return false
      ask(row)
      row.playing = now
      row.lastSeen = undefined
      return true
    },

    /** A request of who was put out, without a question. */
    retry(one: LimitedSession, own = false): Outcome['refused'] {
      const result = used.change(user, { what: 'try', session: one, own, here: here() }, now, settings)
      user = result.user
      return result.refused
    },

    /** What was known of the user is lost; the sessions are told again. */
    forget(): void {
      user = { ...nobody, terms }
      look()
    },
    /** The user's text is read again by a clock that begins anew, and at once by the former one. */
    reread(): void {
      user = movedBy(movedBy(JSON.parse(JSON.stringify(user)), -now), now)
    },

    /** Ends a session for good. */
    close(id: string): void {
      rows.delete(id)
      user = used.change(user, { what: 'end', id }, now, settings).user
    },

    isIn: (id: string) => rows.has(id),
    ids: () => [...rows.keys()],
    /** The sessions in the gate's table, and since when their players are requesting; undefined = not now. */
    sessions: () =>
      [...rows.values()].map((row) => ({
        session: row.session,
        seen: seenOf(row),
        asked: row.asked,
        playingSince: row.lastSeen === undefined ? row.playing : undefined,
      })),
    /** How many plays count, by what the gate knows at this moment. */
    count() {
      const told = used.change({ ...user, terms: undefined }, { what: 'look', here: here() }, now, settings)
      return used.playsOf(told.user, now, times).length
    },
    isEmpty() {
      const { entries, outs } = used.pruned(user, now, settings)
      return entries.length + outs.length === 0
    },
  }
}

/**
 * A session of a viewer, written `player@address`. Its URL has a token of its own; with `credential` it is
 * that one.
 */
export function session(viewer: string, place: string, more: Partial<LimitedSession> = {}): LimitedSession {
  const [player = '', address = ''] = viewer.split('@')
  const id = more.id ?? `${viewer} ${place}`
  return {
    ...{ id, viewer, address, player, playback: '', cookie: '', credential: `token of ${id}` },
    ...{ place, once: false, ...more },
  }
}
