import type { AddressGroups } from '../address.ts'

/**
 * Each group's share, as a part of the places and of the queue: an address, the networks around it,
 * everybody.
 */
const PART = { client: 1 / 4, subnet: 3 / 8, network: 1 / 2, all: 1 } as const
/** This part of the places is reserved for groups that hold less than their share. */
const RESERVED = 1 / 4

/** A question that waits for a place. */
export interface Waiter {
  readonly group: Group
  readonly rank: Rank
  /** Memory that it takes, in bytes. */
  readonly bytes: number
  /** Gives it a place. */
  seat(): void
  /** Removes it without a place: its time is over, or another question takes its room in the queue. */
  dismiss(timeIsOver: boolean): void
}

/** Known viewers, who have a session that a backend allowed, go before unknown ones. */
export type Rank = 'known' | 'unknown'

/** Addresses that share places; a node in a tree from everybody to a single client. */
export class Group {
  readonly name: string
  /** Its share of the places and of the queue, 0 to 1. */
  readonly part: number
  /** The wider group that it lies in. */
  readonly within: Group | undefined
  /** Places that it and the groups inside hold. */
  held = 0
  /** Bytes of the questions that wait in it and in the groups inside. */
  bytes = 0
  /** How many wait in it and in the groups inside. */
  readonly waiting: Record<Rank, number> = { known: 0, unknown: 0 }
  // Each question enters three groups, and most need neither of these.
  #inside: Map<string, Group> | undefined
  #line: Readonly<Record<Rank, Set<Waiter>>> | undefined
  #around: readonly Group[] | undefined

  constructor(name: string, part: number, within?: Group) {
    this.name = name
    this.part = part
    this.within = within
  }

  /** The groups inside that hold or wait, the next in turn first. */
  get inside(): Map<string, Group> {
    this.#inside ??= new Map()
    return this.#inside
  }

  /** The waiting questions of a single client, in order. */
  get line(): Readonly<Record<Rank, Set<Waiter>>> {
    this.#line ??= { known: new Set(), unknown: new Set() }
    return this.#line
  }

  /** The group of this name inside, created if there is none. */
  enter(name: string, part: number): Group {
    const known = this.inside.get(name)
    if (known !== undefined) return known
    const group = new Group(name, part, this)
    this.inside.set(name, group)
    return group
  }

  /** Itself, then each wider group. */
  around(): readonly Group[] {
    this.#around ??= this.within === undefined ? [this] : [this, ...this.within.around()]
    return this.#around
  }

  /** How many wait, of both ranks. */
  get length(): number {
    return this.waiting.known + this.waiting.unknown
  }
}

/** How many places there are, and how many of them a group may borrow beyond its share. */
export interface Places {
  readonly limit: number
  readonly lent: number
}

/** Which groups hold places, which wait for some, and whose turn it is. */
export interface Shares {
  /** The group of all addresses. */
  readonly all: Group
  /** Calls `act` with the group of these addresses. Questions and re-checks have separate groups. */
  with<Result>(groups: AddressGroups, occasion: string, act: (group: Group) => Result): Result
  /** Takes a place (1) or returns it (-1). */
  hold(group: Group, places: 1 | -1): void
  /** Adds a waiting question at the end of its group's queue. */
  wait(waiter: Waiter): void
  /** Removes a waiting question; does nothing if it does not wait. */
  leave(waiter: Waiter): void
  /** Whether the group, and each group around it, holds less than its share. */
  isBelowShare(group: Group, places: Places): boolean
  /** Whether the group may take a place now, whoever waits. */
  mayHold(group: Group, places: Places): boolean
  /** Whether the places that it holds and its waiting questions reach its share. */
  hasItsShare(group: Group, places: Places): boolean
  /**
   * The widest group around whose part of the queue is full; undefined where a question of `more` bytes still
   * fits. `length` (questions) and `bytes` are the bounds of the whole queue.
   */
  whoseLineIsFull(group: Group, more: number, length: number, bytes: number): Group | undefined
  /** The waiting question that gets the next place; undefined where none may have one. */
  next(places: Places): Waiter | undefined
}

/** Known viewers go first, but so many of them in a row at most, while unknown viewers wait too. */
const KNOWN_IN_A_ROW = 4
const KNOWN_FIRST: readonly Rank[] = ['known', 'unknown']
const UNKNOWN_FIRST: readonly Rank[] = ['unknown', 'known']

export function createShares(): Shares {
  const all = new Group('', PART.all)
  let knownInARow = 0

  const forgetEmpty = (group: Group): void => {
    for (const one of group.around()) {
      const isEmpty = one.held === 0 && one.length === 0
      if (isEmpty && one.within?.inside.get(one.name) === one) one.within.inside.delete(one.name)
    }
  }

  const count = ({ group, rank, bytes }: Waiter, more: 1 | -1): void => {
    for (const one of group.around()) {
      one.waiting[rank] += more
      one.bytes += more * bytes
    }
  }

  /** The next in turn, from the widest group down to the address. A served group moves to the end. */
  const pick = (group: Group, rank: Rank, mayHave: MayHave, places: Places): Waiter | undefined => {
    if (group.waiting[rank] === 0 || !mayHave(group, places)) return undefined
    for (const waiter of group.line[rank]) return waiter
    for (const [name, inner] of group.inside) {
      const waiter = pick(inner, rank, mayHave, places)
      if (waiter === undefined) continue
      group.inside.delete(name)
      group.inside.set(name, inner)
      return waiter
    }
    return undefined
  }

  return {
    all,
    with({ network, subnet, client }, occasion, act) {
      const ofNetwork = all.enter(occasion, PART.all).enter(network, PART.network)
      const around = subnet === undefined ? ofNetwork : ofNetwork.enter(subnet, PART.subnet)
      const group = around.enter(client, PART.client)
      const result = act(group)
      forgetEmpty(group)
      return result
    },
    hold(group, places) {
      for (const one of group.around()) one.held += places
      forgetEmpty(group)
    },
    wait(waiter) {
      waiter.group.line[waiter.rank].add(waiter)
      count(waiter, 1)
    },
    leave(waiter) {
      if (!waiter.group.line[waiter.rank].delete(waiter)) return
      count(waiter, -1)
      forgetEmpty(waiter.group)
    },
    isBelowShare: (group, places) => everyAround(group, isBelowShare, places),
    mayHold: (group, places) =>
      everyAround(group, isBelowShare, places) || everyAround(group, mayBorrow, places),
    hasItsShare: (group, { limit }) =>
      group.around().some((one) => one.part < PART.all && one.held + one.length >= shareOf(one, limit)),
    whoseLineIsFull: (group, more, length, bytes) =>
      group
        .around()
        .findLast((one) => one.length >= length * one.part || one.bytes + more > bytes * one.part),
    next(places) {
      if (all.length === 0) return undefined
      const ranks = knownInARow < KNOWN_IN_A_ROW ? KNOWN_FIRST : UNKNOWN_FIRST
      for (const mayHave of [isBelowShare, mayBorrow]) {
        for (const rank of ranks) {
          const waiter = pick(all, rank, mayHave, places)
          if (waiter === undefined) continue
          knownInARow = rank === 'known' ? knownInARow + 1 : 0
          return waiter
        }
      }
      return undefined
    },
  }
}

/** Whether a group may have one more place. */
type MayHave = (group: Group, places: Places) => boolean

const isBelowShare: MayHave = (group, { limit }) => group.held < shareOf(group, limit)

/** Beyond its share a group may use free places, but not the reserved ones. */
const mayBorrow: MayHave = (group, { limit, lent }) => {
  const most = limit - Math.floor(limit * RESERVED)
  return group.held < (group.part === PART.all ? most : Math.min(most, shareOf(group, limit) + lent))
}

function everyAround(group: Group, mayHave: MayHave, places: Places): boolean {
  for (const one of group.around()) if (!mayHave(one, places)) return false
  return true
}

function shareOf({ part }: Group, limit: number): number {
  return Math.max(1, Math.floor(limit * part))
}
