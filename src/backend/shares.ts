import type { AddressGroups } from '../address.ts'

/** What a group may hold of the places, and of the line, where others wait: an address, the networks around it, everybody. */
const PART = { client: 1 / 4, subnet: 3 / 8, network: 1 / 2, all: 1 } as const
/** No group gets the last of the places that are free: they are for those who hold less than their share. */
const KEPT = 1 / 4

/** A question that waits for a place. */
export interface Waiter {
  readonly group: Group
  readonly rank: Rank
  /** What it costs in memory. */
  readonly bytes: number
  /** It has the place that it waited for. */
  seat(): void
  /** It has to go without: its time is over, or somebody else takes its room. */
  dismiss(timeIsOver: boolean): void
}

/** Known viewers go before strangers. */
export type Rank = 'known' | 'strangers'

/** Addresses that count together, within a wider group. */
export class Group {
  readonly name: string
  readonly part: number
  readonly within: Group | undefined
  held = 0
  bytes = 0
  /** How many wait in it and in the groups inside. */
  readonly waiting: Record<Rank, number> = { known: 0, strangers: 0 }
  /** Groups inside that hold or wait, the one whose turn it is first. */
  readonly inside = new Map<string, Group>()
  /** The waiting ones of an address, in order. */
  readonly line: Readonly<Record<Rank, Set<Waiter>>> = { known: new Set(), strangers: new Set() }

  constructor(name: string, part: number, within?: Group) {
    this.name = name
    this.part = part
    this.within = within
  }

  /** The group of this name inside; a new one where there is none. */
  enter(name: string, part: number): Group {
    const known = this.inside.get(name)
    if (known !== undefined) return known
    const group = new Group(name, part, this)
    this.inside.set(name, group)
    return group
  }

  /** Itself and all that it lies within. */
  *around(): Iterable<Group> {
    for (let at: Group | undefined = this; at !== undefined; at = at.within) yield at
  }

  get length(): number {
    return this.waiting.known + this.waiting.strangers
  }
}

/** Which groups hold places and wait for some, and whose turn it is. */
export interface Shares {
  /** Everybody together. */
  readonly all: Group
  /** Looks at the group of these addresses, or does something with it. Questions and re-checks are apart. */
  with<Result>(groups: AddressGroups, occasion: string, act: (group: Group) => Result): Result
  /** Takes a place (1) or gives it back (-1). */
  hold(group: Group, places: 1 | -1): void
  wait(waiter: Waiter): void
  leave(waiter: Waiter): void
  /** Whether it may have one of `limit` places now, others aside who wait. */
  mayHold(group: Group, limit: number): boolean
  /** Whether it has its share of `limit` places, with those of it that wait. */
  hasItsShare(group: Group, limit: number): boolean
  /** The widest group that has its part of a line of this length and size already. */
  whoseLineIsFull(group: Group, more: number, length: number, bytes: number): Group | undefined
  /** Who is next to have a place. */
  next(limit: number): Waiter | undefined
}

export function createShares(): Shares {
  const all = new Group('', PART.all)

  const forgetEmpty = (group: Group): void => {
    for (const one of group.around()) {
      if (one.held === 0 && one.length === 0) one.within?.inside.delete(one.name)
    }
  }

  const count = ({ group, rank, bytes }: Waiter, more: 1 | -1): void => {
    for (const one of group.around()) {
      one.waiting[rank] += more
      one.bytes += more * bytes
    }
  }

  /** The first in turn, from the widest group to the address; a group that is served goes to the end. */
  const pick = (group: Group, rank: Rank, mayHave: MayHave, limit: number): Waiter | undefined => {
    if (group.waiting[rank] === 0 || !mayHave(group, limit)) return undefined
    for (const waiter of group.line[rank]) return waiter
    for (const [name, inner] of group.inside) {
      const waiter = pick(inner, rank, mayHave, limit)
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
    mayHold(group, limit) {
      const around = [...group.around()]
      return [isBelowShare, isLent].some((mayHave) => around.every((one) => mayHave(one, limit)))
    },
    hasItsShare: (group, limit) =>
      [...group.around()].some((one) => one.part < PART.all && one.held + one.length >= shareOf(one, limit)),
    whoseLineIsFull: (group, more, length, bytes) =>
      [...group.around()].findLast(
        (one) => one.length >= length * one.part || one.bytes + more > bytes * one.part,
      ),
    next: (limit) =>
      pick(all, 'known', isBelowShare, limit) ??
      pick(all, 'strangers', isBelowShare, limit) ??
      pick(all, 'known', isLent, limit) ??
      pick(all, 'strangers', isLent, limit),
  }
}

/** Whether a group may have one place more, of `limit` in all. */
type MayHave = (group: Group, limit: number) => boolean

const isBelowShare: MayHave = (group, limit) => group.held < shareOf(group, limit)

/** A place that others could use, lent while it is free. */
const isLent: MayHave = ({ part, held }, limit) =>
  held < (part === PART.all ? limit : limit - Math.floor(limit * KEPT))

function shareOf({ part }: Group, limit: number): number {
  return Math.max(1, Math.floor(limit * part))
}
