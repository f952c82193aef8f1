import { type Entry, type LimitedSession, MINUTE, type Out, type User } from './user.ts'

/**
 * All sessions of the viewer: of one player at one address, of whoever has the same cookie, and of whoever
 * has the same link at the same address, since a player may ask first with another library.
 */
export function ownOf({ entries }: User, session: LimitedSession): readonly Entry[] {
  const { viewer, address, credential, cookie } = session
  const isSame = (one: Entry): boolean =>
    one.viewer === viewer ||
    (cookie !== '' && one.cookie === cookie) ||
    (credential !== '' && one.credential === credential && one.address === address)
  const persons = new Set(entries.filter(isSame).map(({ person }) => person))
  return entries.filter(({ person }) => persons.has(person))
}

/** What the viewer has in common with two others makes these two one. */
export function joined(user: User, session: LimitedSession): User {
  const own = new Set(ownOf(user, session))
  const [first] = own
  if (first === undefined || [...own].every(({ person }) => person === first.person)) return user
  const { person } = first
  return { ...user, entries: user.entries.map((entry) => (own.has(entry) ? { ...entry, person } : entry)) }
}

/** Networks of one family at which a cookie is good at a time: Wi-Fi and LTE, two lines. */
const NETWORKS = 2

/** Says a session's cookie; empty if it is heard at other networks already: it may have been handed on. */
export function goodCookies({ entries }: User, now: number): (session: LimitedSession) => string {
  const heard = new Map<string, Set<string>>()
  for (const { cookie, address, seen } of entries)
    if (cookie !== '' && now - seen < MINUTE)
      heard.set(cookie, (heard.get(cookie) ?? new Set()).add(networkOf(address)))
  return ({ cookie, address }) => {
    const here = networkOf(address)
    const others = [...(heard.get(cookie) ?? [])].filter(
      (network) => network !== here && network.includes(':') === here.includes(':'),
    )
    return others.length < NETWORKS ? cookie : ''
  }
}

/** The /24 or /48 around an address, or around a group of addresses. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address.slice(0, address.lastIndexOf('.'))
  const [head = ''] = address.split('::')
  return [...head.split(':'), '', ''].slice(0, 3).join(':')
}

/** Whether both are one player at one address, whatever its playback id is. */
export function isPlayer(one: Out | LimitedSession, { address, player }: Out | LimitedSession): boolean {
  return one.address === address && one.player === player
}
