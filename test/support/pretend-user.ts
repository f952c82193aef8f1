import { admit, type Coming, type Refusal } from '../../src/limit/admit.ts'
import type { DisplacedSession } from '../../src/limit/displace.ts'
import { look, needsLook, unknownTo } from '../../src/limit/look.ts'
import { playsOf } from '../../src/limit/plays.ts'
import { isEmpty, prune } from '../../src/limit/prune.ts'
import type { Policy } from '../../src/limit/terms.ts'
import { type LimitSettings, type Times, timesOf } from '../../src/limit/times.ts'
import { type LimitedSession, leave, nobody, type User } from '../../src/limit/user.ts'

/** The rules; a mutant of them has the same shape. */
export const rules = { admit, look, needsLook, leave, prune, playsOf }
export type LimitRules = typeof rules

export interface PretendUserOptions {
  readonly max?: number
  readonly policy?: Policy
  readonly settings?: Partial<LimitSettings>
  readonly rules?: LimitRules
  readonly onLooked?: () => void
}

/** A session in the pretended gate's table: its player requests something every so many milliseconds. */
interface Row {
  readonly session: LimitedSession
  readonly entered: number
  since: number
  every: number
  /** When its player stopped; undefined while it plays. */
  lastSeen: number | undefined
}

export type Opened = { readonly id: string; readonly refused: Refusal | undefined }

/** Milliseconds as shipped, for one gate. */
export const SHIPPED: LimitSettings = { grace: 15_000, hold: 60_000, idle: 120_000, report: 5_000 }

/**
 * One user with players, and what a gate by itself does for them: it admits each opening, ends what is
 * displaced, looks every few seconds where too many may play, and ends what is silent. The clock is
 * pretended.
 */
export function createPretendUser(options: PretendUserOptions = {}) {
  const { max = 1, policy = 'newest', rules: used = rules, onLooked = () => {} } = options
  const settings = { ...SHIPPED, ...options.settings }
  const times: Times = timesOf(settings)
  const rows = new Map<string, Row>()
  const displaced: (DisplacedSession & { readonly at: number; readonly seen: number })[] = []
  let terms = { max, policy }
  let user: User = nobody
  let now = 1_000_000
  let nextLook = now + settings.report
  let nextRound = now + settings.idle / 2
  let opened = 0

  const seenOf = ({ since, every, lastSeen }: Row): number =>
    lastSeen ?? since + Math.floor((now - since) / every) * every
  const seen = () => [...rows].map(([id, row]) => ({ id, seen: seenOf(row) }))

  const end = (gone: readonly DisplacedSession[]): void => {
    for (const one of gone) {
      const row = rows.get(one.id)
      displaced.push({ ...one, at: now, seen: row === undefined ? 0 : seenOf(row) })
      rows.delete(one.id)
    }
  }

  const lookNow = (): void => {
    nextRound = now + settings.idle / 2
    const result = used.look(user, now, seen(), times)
    user = result.user
    end(result.displaced)
    for (const id of unknownTo(user, now, seen(), times)) {
      const row = rows.get(id)
      if (row === undefined) continue
      const refused = enter(row.session, { entered: row.entered, seen: seenOf(row) })
      if (refused !== undefined) displaced.push({ id, by: '', cause: 'other', left: false, at: now, seen: 0 })
    }
    onLooked()
  }

  /** Admits a session, and ends what it displaces, or itself. */
  const enter = (one: LimitedSession, coming: Coming): Refusal | undefined => {
    const result = used.admit(user, now, one, terms, times, { others: seen(), ...coming })
    user = result.user
    end(result.displaced)
    if (result.refused !== undefined) rows.delete(one.id)
    return result.refused
  }

  const sweep = (): void => {
    for (const [id, row] of rows) {
      if (now - seenOf(row) <= settings.idle) continue
      rows.delete(id)
      user = used.leave(user, now, id, 'idle', times)
    }
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
        nextLook += settings.report
        sweep()
        if (used.needsLook(user) || now >= nextRound) lookNow()
      }
      now = until
      sweep()
    },

    /** A session is allowed by the backend, and opens if the rules let it in. */
    open(session: LimitedSession, coming: Coming = {}, every = 2_000): Opened {
      const refused = enter(session, coming)
      const { entered = now, seen: lastSeen } = coming
      if (refused === undefined)
        rows.set(session.id, { session, entered, since: lastSeen ?? now, every, lastSeen })
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
      row.since = now
      row.lastSeen = undefined
      return true
    },

    /** One request on a session. False if it has ended: then it gets `session-limit`. */
    request(id: string): boolean {
      const row = rows.get(id)
      if (row === undefined) return false
      row.lastSeen = now
      return true
    },

    /** The gate starts anew without what it knew of the user; its sessions are adopted. */
    forget(): void {
      user = nobody
      lookNow()
    },

    leave(id: string, why: 'idle' | 'closed' | 'denied'): void {
      rows.delete(id)
      user = used.leave(user, now, id, why, times)
    },

    isIn: (id: string) => rows.has(id),
    ids: () => [...rows.keys()],
    /** The sessions in the gate's table, and since when their players are requesting; undefined = not now. */
    sessions: () =>
      [...rows.values()].map((row) => ({
        session: row.session,
        seen: seenOf(row),
        playingSince: row.lastSeen === undefined ? row.since : undefined,
      })),
    /** How many plays count in the state as it is. */
    counted: () => used.playsOf(user.entries, now, times).filter(({ left }) => !left).length,
    /** How many plays count, by what the gate knows at this moment. */
    count() {
      const told = used.look({ ...user, terms: undefined }, now, seen(), times).user
      return used.playsOf(told.entries, now, times).filter(({ left }) => !left).length
    },
    isEmpty: () => isEmpty(used.prune(user, now, times)),
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
    id,
    viewer,
    address,
    player,
    playback: '',
    credential: `token of ${id}`,
    place,
    once: false,
    ...more,
  }
}
