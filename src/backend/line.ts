import { type AddressGroups, addressGroupsOf } from '../address.ts'
import type { Question } from '../subrequest.ts'
import { startDeadline } from './deadline.ts'
import { createShares, type Group, type Rank, type Waiter } from './shares.ts'

/** Who wants to ask. */
export interface Applicant {
  readonly groups: AddressGroups
  /** Re-checks and questions have shares of their own: nobody's questions put off the re-check that would end their session. */
  readonly occasion: 'question' | 're-check'
  /** The viewer, where a backend has allowed them something lately: served before strangers. */
  readonly knownViewer: string | undefined
  /** What waiting costs in memory. */
  readonly bytes: number
}

/** What a waiting question costs beside its texts, in bytes: about. */
const OVERHEAD = 512

/** Who asks, as the line knows them. */
export function applicantOf({ subrequest, occasion, knownViewer }: Question): Applicant {
  const { address, origin, path, query, userAgent, playbackId } = subrequest
  return {
    groups: addressGroupsOf(address),
    occasion,
    knownViewer,
    bytes: OVERHEAD + origin.length + path.length + query.length + userAgent.length + playbackId.length,
  }
}

export type Admission =
  /** `isLate`: it waited behind others of its own group. `release` gives the place back; calling it again does nothing. */
  | { readonly kind: 'place'; readonly isLate: boolean; readonly release: () => void }
  /** Others hold the places. */
  | { readonly kind: 'overload' }
  /** Its own group's questions hold all that it may have. `waited`: it was in the line, and its time is over. */
  | { readonly kind: 'excess'; readonly waited: boolean }

export interface LineOptions {
  /** How many places there are now. */
  readonly limit: () => number
  /** How many may wait in all, and what that may cost in bytes. */
  readonly length: number
  readonly bytes: number
}

export interface Line {
  /** A place at once, or after a wait of a part of `budget` milliseconds, or none. */
  enter(applicant: Applicant, budget: number): Admission | Promise<Admission>
  /** What `enter` would begin with; changes nothing. */
  look(applicant: Applicant): Admission['kind'] | 'waits'
  /** There may be more places than before. */
  advance(): void
  held(): number
  waiting(): number
}

/** What of its time a question may wait; the rest must do for the answer. Behind others of its own group it waits longer. */
const PATIENCE = 0.5
const OWN_PATIENCE = 0.75
/** More than that of one viewer do not go before strangers. */
const MOST_KNOWN = 4

/**
 * The places at one backend and the line before them. Where places are free anybody may have them, but for the last quarter; where
 * others wait, each group of addresses has its share, and they are served in turn.
 */
export function createLine({ limit, length, bytes }: LineOptions): Line {
  const shares = createShares()
  /** How many questions of each known viewer wait before those of strangers. */
  const knownWaiting = new Map<string, number>()

  const seatIn = (group: Group, isLate: boolean): Admission => {
    let isHeld = true
    shares.hold(group, 1)
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      shares.hold(group, -1)
      advance()
    }
    return { kind: 'place', isLate, release }
  }

  const advance = (): void => {
    for (let next = shares.next(limit()); next !== undefined; next = shares.next(limit())) next.seat()
  }

  const rankOf = (viewer: string | undefined): Rank =>
    viewer !== undefined && (knownWaiting.get(viewer) ?? 0) < MOST_KNOWN ? 'known' : 'strangers'

  const countKnown = (viewer: string | undefined, rank: Rank, more: 1 | -1): void => {
    if (viewer === undefined || rank !== 'known') return
    const count = (knownWaiting.get(viewer) ?? 0) + more
    if (count === 0) knownWaiting.delete(viewer)
    else knownWaiting.set(viewer, count)
  }

  /** A known viewer need not go because strangers of the same address fill the line: the one who came last goes. */
  const makeRoom = (group: Group, rank: Rank): boolean => {
    const last = rank === 'known' ? [...group.line.strangers].at(-1) : undefined
    last?.dismiss(false)
    return last !== undefined
  }

  const wait = (group: Group, { knownViewer, bytes: cost }: Applicant, isOwn: boolean, patience: number) =>
    new Promise<Admission>((resolve) => {
      const rank = rankOf(knownViewer)
      const leave = (): void => {
        callOff()
        shares.leave(waiter)
        countKnown(knownViewer, rank, -1)
      }
      const waiter: Waiter = {
        group,
        rank,
        bytes: cost,
        seat() {
          const admission = seatIn(group, isOwn)
          leave()
          resolve(admission)
        },
        dismiss(waited) {
          leave()
          resolve(isOwn ? { kind: 'excess', waited } : { kind: 'overload' })
        },
      }
      const callOff = startDeadline(patience, () => waiter.dismiss(true))
      shares.wait(waiter)
      countKnown(knownViewer, rank, 1)
    })

  /** A place, `waits`, or why there is no room to wait. */
  const lookIn = (group: Group, { bytes: more }: Applicant): Admission['kind'] | 'waits' => {
    if (shares.mayHold(group, limit())) return 'place'
    const full = shares.whoseLineIsFull(group, more, length, bytes)
    if (full === undefined) return 'waits'
    if (full !== shares.all || shares.hasItsShare(group, limit())) return 'excess'
    return 'overload'
  }

  return {
    enter(applicant, budget) {
      return shares.with(applicant.groups, applicant.occasion, (group) => {
        const isOwn = shares.hasItsShare(group, limit())
        const found = lookIn(group, applicant)
        if (found === 'place') return seatIn(group, false)
        const mayWait = found === 'waits' || makeRoom(group, rankOf(applicant.knownViewer))
        if (!mayWait) return found === 'excess' ? { kind: found, waited: false } : { kind: 'overload' }
        return wait(group, applicant, isOwn, budget * (isOwn ? OWN_PATIENCE : PATIENCE))
      })
    },
    look: (applicant) =>
      shares.with(applicant.groups, applicant.occasion, (group) => lookIn(group, applicant)),
    advance,
    held: () => shares.all.held,
    waiting: () => shares.all.length,
  }
}

/** How many questions may be under way at one backend: its own measure of what the backend can take. */
export interface Concurrency {
  limit(): number
  /** The backend answered in time. */
  answered(): void
  /** A question that went out at `began` (monotonic milliseconds) was not answered in time. */
  timedOut(began: number): void
  /** An outage is over: everybody comes at once, and the backend has just begun to work. */
  restart(): void
}

/** There is always room for this many, so that one slow answer does not stop all the others. */
const LEAST = 4

/**
 * Additive increase, multiplicative decrease, as TCP's congestion control (RFC 5681) has it: a timeout halves the limit, an answer adds
 * one, up to `most`. Questions that went out before a halving do not halve again: they tell of the same moment.
 */
export function createConcurrency(most: number, clock: () => number): Concurrency {
  let limit = most
  let halvedAt = Number.NEGATIVE_INFINITY
  return {
    limit: () => limit,
    answered() {
      if (limit < most) limit++
    },
    timedOut(began) {
      if (began < halvedAt) return
      halvedAt = clock()
      limit = Math.max(LEAST, Math.floor(limit / 2))
    },
    restart() {
      limit = Math.min(limit, LEAST)
    },
  }
}
