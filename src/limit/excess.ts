import { compare, newestIdOf, type Play } from './plays.ts'
import type { Policy, Terms } from './terms.ts'
import type { LimitedSession } from './user.ts'

/** The opening that makes plays too many; undefined where they grew too many by going on. */
export interface Opening {
  readonly session: LimitedSession
  /** Its own play, which is never over. */
  readonly play: Play
}

/**
 * The plays that are over the number, in the order in which they go: those that were resumed without a
 * credential; the same player with the same credential at another address, which has moved; those that are
 * silent, the longest first. Then with `newest` who entered first; with `refuse` what the opening person
 * plays elsewhere, then who entered last.
 */
export function excess(plays: readonly Play[], terms: Terms, opening: Opening | undefined): Play[] {
  const counted = plays.filter(({ left }) => !left)
  const over = counted.length - terms.max
  if (over <= 0) return []
  const ranked = counted
    .filter((play) => play !== opening?.play)
    .map((play) => ({ play, rank: rankOf(play, terms.policy, opening) }))
  ranked.sort(
    (a, b) =>
      a.rank - b.rank ||
      (a.rank === SILENT ? a.play.seen - b.play.seen : 0) ||
      byEntry(a.play, b.play) * (terms.policy === 'refuse' || a.rank === TOKENLESS ? -1 : 1),
  )
  return ranked.slice(0, over).map(({ play }) => play)
}

const TOKENLESS = 0
const MOVED = 1
const SILENT = 2
const OWN = 3
const REST = 4

function rankOf(play: Play, policy: Policy, opening: Opening | undefined): number {
  if (isTokenless(play)) return TOKENLESS
  if (opening !== undefined && hasMoved(play, opening.session)) return MOVED
  if (play.silent) return SILENT
  return policy === 'refuse' && play.person === opening?.play.person ? OWN : REST
}

/** Whether all of it was resumed without a credential: perhaps by a neighbour with the same player. */
function isTokenless({ entries }: Play): boolean {
  return entries.every(({ tokenless }) => tokenless)
}

/** Whether the player of a play now opens this session from another address. */
export function hasMoved({ entries }: Play, session: LimitedSession): boolean {
  const { credential, player, playback, address, viewer } = session
  return entries.some(
    (entry) =>
      credential !== '' &&
      entry.credential === credential &&
      entry.player === player &&
      entry.playback === playback &&
      entry.address !== address &&
      entry.viewer !== viewer,
  )
}

function byEntry(a: Play, b: Play): number {
  return a.entered - b.entered || compare(newestIdOf(a), newestIdOf(b))
}

/**
 * What the persons of these plays had left: it goes with them, unless something that counts stays of them.
 * Else a displaced viewer would ride on.
 */
export function leftBehind(plays: readonly Play[], gone: readonly Play[]): Play[] {
  const lost = new Set(gone.filter((play) => !isTokenless(play)).map(({ person }) => person))
  for (const play of plays) if (!play.left && !gone.includes(play)) lost.delete(play.person)
  return plays.filter((play) => play.left && lost.has(play.person))
}
