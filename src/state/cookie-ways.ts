import { hash } from 'node:crypto'
import { cookiesOf } from './kept.ts'
import type { SessionRecord } from './record.ts'
import type { Write } from './record-store.ts'

/**
 * A store finds records by their viewer. A session with a cookie has a second way to it: a record under the
 * cookie's name that says of which viewer the session is. It holds nothing else.
 */

/** The name under which the ways of a cookie lie. No viewer has it: theirs begin with an address. */
export function viewerOfCookie(cookie: string): string {
  return `cookie ${cookie}`
}

/**
 * The ways to a session, one for each of its cookies. They last as long as the record of one that plays. One
 * that goes silent has them already, and a gate that it has left must not shorten them.
 */
export function waysTo({ record, expiresAt }: Write): Write[] {
  const { viewer, activeAt, silent } = record
  if (silent) return []
  const nothing = { origin: '', path: '', query: '', userAgent: '', playbackId: '', user: '', requests: 0 }
  return cookiesOf(record).map((cookie) => ({
    record: {
      ...nothing,
      id: hash('sha256', `${viewer}\n${record.id}`, 'base64url').slice(0, 22),
      viewer: viewerOfCookie(cookie),
      leadsTo: viewer,
      ...{ openedAt: 0, lastSeen: activeAt, activeAt, allowedAt: 0, resumeFor: 0 },
      ...{ dueAt: null, part: 1, silent: false },
    },
    expiresAt,
  }))
}

/** The viewers whose sessions a cookie may open. */
export function viewersOf(ways: readonly SessionRecord[]): string[] {
  return [...new Set(ways.flatMap(({ leadsTo }) => leadsTo ?? []))]
}
