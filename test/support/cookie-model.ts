import type { CookieMode } from '../../src/subrequest.ts'

/** One request of a history. */
export interface Asked {
  readonly site: string
  readonly address: string
  readonly userAgent: string
  readonly path: string
  readonly query: string
  readonly mode: CookieMode
  /** The value that it sends. */
  readonly value: string | undefined
}

/** What the design says of a session. Nothing here knows the code. */
export interface ModelSession {
  readonly id: string
  readonly opener: Asked
  readonly user: string
  readonly isStrict: boolean
  /** The values that open it: one for each who was let in by its very URL. */
  readonly values: readonly string[]
  /** When its holder last sent a request that it covers, or it was opened. */
  heldAt: number
  /** A backend or the operator has ended it, and it may leave the table. */
  isRevoked: boolean
  hasEnded: boolean
}

export const isPlaylist = ({ path }: Asked): boolean => path.endsWith('.m3u8')
const hasCredential = ({ query }: Asked): boolean => query.includes('token=')
const canonical = ({ query }: Asked): string =>
  query
    .split('&')
    .filter((piece) => !piece.startsWith('_HLS_'))
    .join('&')

function isBelow(opener: Asked, { path }: Asked): boolean {
  if (opener.path === path) return true
  const directory = opener.path.slice(0, opener.path.lastIndexOf('/') + 1)
  if (!isPlaylist(opener) || !path.startsWith(directory)) return false
  return directory !== '/' || path.lastIndexOf('/') === 0
}

export function isOwnUrl({ opener }: ModelSession, asked: Asked): boolean {
  return opener.path === asked.path && canonical(opener) === canonical(asked)
}

/** What a request may do with a session of its own viewer. */
function fits(session: ModelSession, asked: Asked): boolean {
  if (isOwnUrl(session, asked)) return true
  if (!isBelow(session.opener, asked)) return false
  return !hasCredential(asked) || (!isPlaylist(asked) && canonical(session.opener) === canonical(asked))
}

export function isSameViewer({ opener }: ModelSession, { site, address, userAgent }: Asked): boolean {
  return opener.site === site && opener.address === address && opener.userAgent === userAgent
}

/** Whether it carries a cookie of the session. */
export function holds({ opener, values }: ModelSession, asked: Asked): boolean {
  return asked.value !== undefined && values.includes(asked.value) && opener.site === asked.site
}

/** Whether a request may be let in by a session without a question. */
export function mayAnswer(session: ModelSession, asked: Asked): boolean {
  if (holds(session, asked)) return fits(session, asked)
  if (!isSameViewer(session, asked)) return false
  return session.isStrict ? isOwnUrl(session, asked) : fits(session, asked)
}

/** Whether an opening takes up the cookie that it sends. */
export function joins(sessions: Iterable<ModelSession>, asked: Asked, user: string): boolean {
  const known = [...sessions].filter((one) => !one.hasEnded && holds(one, asked))
  return known.length > 0 && known.every((one) => one.user === user)
}
