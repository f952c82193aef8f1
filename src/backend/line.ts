import type { AddressGroups } from '../address.ts'
import type { Question } from '../subrequest.ts'
import type { After } from '../timer.ts'

/** Who asks for a place. */
export interface Applicant {
  readonly groups: AddressGroups
  /**
   * Each class counts by itself: nobody's new questions delay a re-check or a viewer whom a backend allowed.
   */
  readonly traffic: 'unknown' | 'known' | 're-check'
}

export function applicantOf({ occasion, knownViewer }: Question, groups: AddressGroups): Applicant {
  if (occasion === 're-check') return { groups, traffic: occasion }
  return { groups, traffic: knownViewer === undefined ? 'unknown' : 'known' }
}

/** The result of entering the queue. `waited`: it was in the queue. */
export type Admission =
  /** `release` returns the place; later calls do nothing. */
  | { readonly kind: 'place'; readonly waited: boolean; readonly release: () => void }
  /** It waited in vain, or the queue is full. */
  | { readonly kind: 'none'; readonly waited: boolean }
  /** Its own group has its share of the queue. */
  | { readonly kind: 'excess' }

/** The queue of questions before one backend. */
export interface Line {
  /** Takes a place at once or within `patience` milliseconds, or reports that there is none. */
  enter(applicant: Applicant, patience: number): Admission | Promise<Admission>
  /** What `enter` would do at first; changes nothing. */
  look(applicant: Applicant): Admission['kind'] | 'waits'
  /** Serves waiting questions; call it when there may be more places. */
  advance(): void
  /** Places in use. */
  held(): number
  /** Questions that wait. */
  waiting(): number
}

/** What a group may use, as a multiple of what is free then. */
export type Factors = Readonly<Record<'network' | 'client', number>>

/** With 3 a group that is alone gets three quarters; of n greedy ones each 3 parts of 3n + 1. Measured. */
const FACTORS: Factors = { network: 4, client: 3 }
/** The most questions that wait, of less than 16 KB each. */
export const LENGTH = 1_024

type Counted = 'held' | 'waiting'

/** Questions that share places: everybody, a class, a network, a client. */
class Group {
  held = 0
  waiting = 0
  readonly name: string
  readonly factor: number | undefined
  readonly within: Group | undefined
  // Each question enters four groups, and most need neither of these.
  #inside: Map<string, Group> | undefined
  #queue: Set<Waiter> | undefined

  constructor(name: string, factor?: number, within?: Group) {
    this.name = name
    this.factor = factor
    this.within = within
  }

  /** The groups inside that hold or wait, the next in turn first. */
  get inside(): Map<string, Group> {
    this.#inside ??= new Map()
    return this.#inside
  }

  /** The waiting questions of a client, in order. */
  get queue(): Set<Waiter> {
    this.#queue ??= new Set()
    return this.#queue
  }

  enter(name: string, factor?: number): Group {
    const known = this.inside.get(name)
    if (known !== undefined) return known
    const group = new Group(name, factor, this)
    this.inside.set(name, group)
    return group
  }

  /** Counts one more or one less here and in the groups around, and forgets the empty ones. */
  count(what: Counted, more: 1 | -1): void {
    for (let at: Group | undefined = this; at !== undefined; at = at.within) at[what] += more
    if (more === -1) this.forgetEmpty()
  }

  forgetEmpty(): void {
    for (let at: Group | undefined = this; at?.held === 0 && at.waiting === 0; at = at.within)
      at.within?.inside.delete(at.name)
  }

  /** Whether it may have one more of these. */
  mayHave(what: Counted, free: number): boolean {
    if (this[what] === 0 || this.factor === undefined) return free > 0
    return this[what] < (free - 1) * this.factor
  }
}

interface Waiter {
  readonly group: Group
  seat(): void
}

/**
 * A bulkhead with dynamic thresholds (Choudhury and Hahne, 1998) and a fair queue: classes, then networks,
 * then clients are served in turn.
 * @param limit how many questions may be under way now
 */
export function createLine(limit: () => number, after: After, factors: Factors = FACTORS): Line {
  const all = new Group('')

  const groupOf = ({ groups, traffic }: Applicant): Group =>
    all.enter(traffic).enter(groups.network, factors.network).enter(groups.client, factors.client)

  const free = (what: Counted): number => (what === 'held' ? limit() : LENGTH) - all[what]

  /** Whether a group, and each around it, has less than its part of what is free. */
  const mayHave = (group: Group, what: Counted): boolean => {
    const left = free(what)
    for (let at: Group | undefined = group; at !== undefined; at = at.within)
      if (!at.mayHave(what, left)) return false
    return true
  }

  const pick = (group: Group): Waiter | undefined => {
    if (group.waiting === 0 || !group.mayHave('held', free('held'))) return undefined
    for (const waiter of group.queue) return waiter
    for (const [name, inner] of group.inside) {
      const waiter = pick(inner)
      if (waiter === undefined) continue
      group.inside.delete(name)
      group.inside.set(name, inner)
      return waiter
    }
    return undefined
  }

  const advance = (): void => {
    if (all.waiting === 0) return
    for (let next = pick(all); next !== undefined; next = pick(all)) next.seat()
  }

  const seatIn = (group: Group, waited: boolean): Admission => {
    let isHeld = true
    group.count('held', 1)
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      group.count('held', -1)
      advance()
    }
    return { kind: 'place', waited, release }
  }

  const wait = (group: Group, patience: number): Promise<Admission> =>
    new Promise((resolve) => {
      const leave = (): void => {
        callOff()
        group.queue.delete(waiter)
        group.count('waiting', -1)
      }
      const waiter: Waiter = {
        group,
        seat() {
          const admission = seatIn(group, true)
          leave()
          resolve(admission)
        },
      }
      const callOff = after(patience, () => {
        leave()
        resolve({ kind: 'none', waited: true })
      })
      group.queue.add(waiter)
      group.count('waiting', 1)
    })

  const lookIn = (group: Group): Admission['kind'] | 'waits' => {
    if (mayHave(group, 'held')) return 'place'
    if (mayHave(group, 'waiting')) return 'waits'
    return all.waiting < LENGTH ? 'excess' : 'none'
  }

  return {
    enter(applicant, patience) {
      const group = groupOf(applicant)
      const found = lookIn(group)
      if (found === 'place') return seatIn(group, false)
      if (found === 'waits') return wait(group, patience)
      group.forgetEmpty()
      return found === 'excess' ? { kind: found } : { kind: found, waited: false }
    },
    look(applicant) {
      const group = groupOf(applicant)
      const found = lookIn(group)
      group.forgetEmpty()
      return found
    },
    advance,
    held: () => all.held,
    waiting: () => all.waiting,
  }
}
