import { overlap } from './limited-session.ts'
import { type Entry, type LimitedSession, MINUTE, type Times, type User } from './user.ts'
import { isPlayer, ownOf } from './viewers.ts'

/** What counts: each viewer's only play, or those of several channels that they keep on. */
export interface Play extends Pick<Entry, 'person' | 'since' | 'seen'> {
  readonly entries: readonly Entry[]
  /** It is room for others. */
  readonly isSilent: boolean
  /** Its viewer plays another one beside it. */
  readonly isFurther: boolean
}

/** A viewer counts once, and once more for each further channel that they have kept on for a minute. */
export function playsOf({ entries, terms }: User, now: number, times: Times): Play[] {
  const counted = entries.filter(({ told }) => !told)
  return groups(counted, ({ person }) => person).flatMap((all) => {
    const kept = groups(all, ({ place }) => place)
      .map((channel) => playOf(channel, now, times))
      .filter(({ since, seen }) => seen - since >= times.stay && now - seen < times.recent)
      .sort((a, b) => (terms?.policy === 'refuse' ? a.since - b.since : b.since - a.since))
    if (kept.length < 2)
      return [{ ...playOf(all, now, times), since: Math.max(...all.map(({ since }) => since)) }]
    // What does not count goes with the one that stays longest.
    const further = new Set(kept.slice(1).flatMap((play) => play.entries))
    const rest = all.filter((entry) => !further.has(entry))
    return kept.map((play, at) => (at > 0 ? { ...play, isFurther: true } : { ...play, entries: rest }))
  })
}

function playOf(entries: readonly Entry[], now: number, { pause, silent }: Times): Play {
  const seen = Math.max(...entries.map((entry) => entry.seen))
  const asked = entries.filter((entry) => seen - entry.seen < pause)
  const since = Math.min(...asked.map((entry) => entry.since))
  const isSilent = entries.every((entry) => !entry.once && now - entry.seen >= silent)
  return { person: entries[0]?.person ?? '', entries, since, seen, isSilent, isFurther: false }
}

/** What other viewers play now. */
export function othersOf(user: User, session: LimitedSession, now: number, times: Times): Play[] {
  const own = new Set(ownOf(user, session))
  const isOther = ({ isSilent, entries }: Play) => !isSilent && !entries.some((one) => own.has(one))
  return playsOf(user, now, times).filter(isOther)
}

/** Whether there is room beside what others play, and what the same viewer asks for elsewhere. */
export function hasRoom(user: User, session: LimitedSession, now: number, times: Times): boolean {
  const elsewhere = ownOf(user, session).filter(
    ({ seen, place }) => now - seen < times.recent && !overlap(place, session.place),
  )
  const isOther = (play: Play): boolean => !isBack(user, play, session, now, times)
  const others = othersOf(user, session, now, times).filter(isOther)
  return others.length + groups(elsewhere, ({ place }) => place).length < (user.terms?.max ?? Infinity)
}

/** Whether the player of a play now comes from another address with the same link: it has moved. */
export function hasMoved({ entries }: Play, session: LimitedSession): boolean {
  const { credential, viewer } = session
  const isSame = (one: Entry) => one.credential === credential && one.viewer !== viewer
  return credential !== '' && entries.some((one) => isSame(one) && isElsewhere(one, session))
}

/**
 * Whether a player that was put out a moment ago is back from where this play is, with another link: Wi-Fi,
 * LTE, Wi-Fi. Only for a minute, so that an unattended box does not wait for a pause of an equal one.
 */
export function isBack(user: User, play: Play, session: LimitedSession, now: number, times: Times): boolean {
  const isOut = user.outs.some((out) => isPlayer(out, session) && now - out.at < MINUTE && out.until > now)
  const isQuiet = ({ once, seen }: Entry) => !once && now - seen >= times.back
  return isOut && play.entries.every((one) => isElsewhere(one, session) && isQuiet(one))
}

/** Whether it is the same player at another address. */
function isElsewhere(one: Entry, { player, playback, address }: LimitedSession): boolean {
  return one.player === player && one.playback === playback && one.address !== address
}

function groups<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const all = new Map<string, Item[]>()
  for (const item of items) {
    const group = all.get(keyOf(item))
    if (group === undefined) all.set(keyOf(item), [item])
    else group.push(item)
  }
  return [...all.values()]
}
