import type { Play } from './plays.ts'
import type { Terms } from './terms.ts'
import type { LimitedSession } from './user.ts'

/** The opening that makes plays too many; undefined where they grew too many by going on. */
export interface Opening {
  readonly session: LimitedSession
  /** Its own play, which is never over. */
  readonly play: Play
}

/**
 * The plays that are over the number, in the order in which they go:
 * - what was resumed without a credential;
 * - what its viewer may be leaving, so that nobody else goes because somebody zaps;
 * - the same player with the same credential at another address: it has moved;
 * - what the opening person plays elsewhere or, where plays have grown too many, what somebody plays beside
 *   another play of theirs, so that nobody else goes for that;
 * - what is silent, the longest first.
 *
 * Among equals with `newest` who entered first, with `refuse` who entered last.
 */
export function excess(plays: readonly Play[], { max, policy }: Terms, opening: Opening | undefined): Play[] {
  const counted = plays.filter(({ left }) => !left)
  const over = counted.length - max
  if (over <= 0) return []
  const order = policy === 'refuse' ? counted : [...counted].reverse()
  const rankOf = (play: Play): number => {
    if (isTokenless(play)) return 0
    if (play.leaving) return 1
    if (opening !== undefined && hasMoved(play, opening.session)) return 2
    const isBeside =
      opening === undefined
        ? order.findLast(({ person }) => person === play.person) !== play
        : opening.play.person === play.person
    if (isBeside) return 3
    return play.silent ? SILENT : 5
  }
  return order
    .filter((play) => play !== opening?.play)
    .map((play) => ({ play, rank: rankOf(play) }))
    .sort((a, b) => a.rank - b.rank || (a.rank === SILENT ? a.play.seen - b.play.seen : 0))
    .slice(0, over)
    .map(({ play }) => play)
}

const SILENT = 4

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

/**
 * What the persons of these plays had left: it goes with them, unless something that counts stays of them.
 * Else a displaced viewer would ride on.
 */
export function leftBehind(
  plays: readonly Play[],
  gone: readonly Play[],
  opening: Opening | undefined,
): Play[] {
  const lost = new Set(gone.filter((play) => !isTokenless(play)).map(({ person }) => person))
  for (const play of plays) if (!play.left && !gone.includes(play)) lost.delete(play.person)
  return plays.filter((play) => play.left && lost.has(play.person) && play !== opening?.play)
}
