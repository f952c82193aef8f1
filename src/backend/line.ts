import type { AddressGroups, AddressGroupsOf } from '../address.ts'
import type { Question } from '../subrequest.ts'
import { createShares, type Group, type Places, type Rank, type Waiter } from './shares.ts'
import { startTimer } from './timer.ts'

/** What the queue needs to know of a question. */
export interface Applicant {
  readonly groups: AddressGroups
  /**
   * Re-checks have their own shares, so that no viewer's questions delay the re-check that would end their
   * session.
   */
  readonly occasion: 'question' | 're-check'
  /** The viewer, if they have a session that a backend allowed: served before unknown viewers. */
  readonly knownViewer: string | undefined
  /** Memory that the question takes while it waits, in bytes. */
  readonly bytes: number
}

/** Bytes that a waiting question takes besides its texts, roughly. */
const OVERHEAD = 512

/** The applicant of a question. */
export function applicantOf(
  { subrequest, occasion, knownViewer }: Question,
  groupsOf: AddressGroupsOf,
): Applicant {
  const { address, origin, path, query, userAgent, playbackId } = subrequest
  return {
    groups: groupsOf(address),
    occasion,
    knownViewer,
    bytes: OVERHEAD + origin.length + path.length + query.length + userAgent.length + playbackId.length,
  }
}

/** The result of entering the queue. */
export type Admission =
  /**
   * `isLate`: it waited behind others of its own group. `isBorrowed`: its group has its share already.
   * `release` returns the place; later calls do nothing.
   */
  | {
      readonly kind: 'place'
      readonly isLate: boolean
      readonly isBorrowed: boolean
      readonly release: () => void
    }
  /** No place: other groups hold them. */
  | { readonly kind: 'overload' }
  /** No place: its own group uses all of its share. `waited`: it was in the queue until its time was over. */
  | { readonly kind: 'excess'; readonly waited: boolean }

export interface LineOptions {
  /** How many questions may be under way now. */
  readonly places: () => Places
  /** Most questions that may wait. */
  readonly length: number
  /** Most bytes of all waiting questions. */
  readonly bytes: number
}

/** The queue of questions before one backend. */
export interface Line {
  /**
   * Takes a place at once or after a wait, or reports that there is none. It waits for a part of `budget`
   * milliseconds.
   */
  enter(applicant: Applicant, budget: number): Admission | Promise<Admission>
  /** What `enter` would do at first; changes nothing. */
  look(applicant: Applicant): Admission['kind'] | 'waits'
  /** Serves waiting questions; call it when `places` may have grown. */
  advance(): void
  /** Places in use. */
  held(): number
  /** Questions that wait. */
  waiting(): number
}

/** The part of its budget that a question may wait; the rest is for the answer. */
const PATIENCE = 0.5
/** The same for a question that waits behind others of its own group. */
const OWN_PATIENCE = 0.75
/** At most this many waiting questions of one known viewer go before those of unknown viewers. */
const MOST_KNOWN = 4

/**
 * The places at one backend and the queue before them. While places are free, a group may take any but the
 * last quarter. When questions wait, each group of addresses has its share, and the groups are served in
 * turn.
 */
export function createLine({ places, length, bytes }: LineOptions): Line {
  const shares = createShares()
  /** How many questions of each known viewer wait with the rank `known`. */
  const knownWaiting = new Map<string, number>()

  const seatIn = (group: Group, isLate: boolean): Admission => {
    let isHeld = true
    const isBorrowed = !shares.isBelowShare(group, places())
    shares.hold(group, 1)
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      shares.hold(group, -1)
      advance()
    }
    return { kind: 'place', isLate, isBorrowed, release }
  }

  const advance = (): void => {
    for (let next = shares.next(places()); next !== undefined; next = shares.next(places())) next.seat()
  }

  const rankOf = (viewer: string | undefined): Rank =>
    viewer !== undefined && (knownWaiting.get(viewer) ?? 0) < MOST_KNOWN ? 'known' : 'unknown'

  const countKnown = (viewer: string | undefined, rank: Rank, more: 1 | -1): void => {
    if (viewer === undefined || rank !== 'known') return
    const count = (knownWaiting.get(viewer) ?? 0) + more
    if (count === 0) knownWaiting.delete(viewer)
    else knownWaiting.set(viewer, count)
  }

  /** If unknown viewers of the same address fill the queue, the last of them leaves it for a known viewer. */
  const whoLeavesFor = (group: Group, viewer: string | undefined): Waiter | undefined =>
    rankOf(viewer) === 'known' ? [...group.line.unknown].at(-1) : undefined

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
      const callOff = startTimer(patience, () => waiter.dismiss(true))
      shares.wait(waiter)
      countKnown(knownViewer, rank, 1)
    })

  /** `place`, `waits`, or why it can do neither. */
  const lookIn = (group: Group, { bytes: more }: Applicant): Admission['kind'] | 'waits' => {
    if (shares.mayHold(group, places())) return 'place'
    const full = shares.whoseLineIsFull(group, more, length, bytes)
    if (full === undefined) return 'waits'
    if (full !== shares.all || shares.hasItsShare(group, places())) return 'excess'
    return 'overload'
  }

  return {
    enter(applicant, budget) {
      return shares.with(applicant.groups, applicant.occasion, (group) => {
        const found = lookIn(group, applicant)
        if (found === 'place') return seatIn(group, false)
        const isOwn = shares.hasItsShare(group, places())
        const leaving = found === 'waits' ? undefined : whoLeavesFor(group, applicant.knownViewer)
        if (found !== 'waits' && leaving === undefined)
          return found === 'excess' ? { kind: found, waited: false } : { kind: 'overload' }
        const admission = wait(group, applicant, isOwn, budget * (isOwn ? OWN_PATIENCE : PATIENCE))
        leaving?.dismiss(false)
        return admission
      })
    },
    look: (applicant) =>
      shares.with(applicant.groups, applicant.occasion, (group) => lookIn(group, applicant)),
    advance,
    held: () => shares.all.held,
    waiting: () => shares.all.length,
  }
}
