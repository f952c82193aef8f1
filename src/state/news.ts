import type { End } from '../decision/stored.ts'
import type { CloseMark } from './close-mark.ts'
import { readEnd, readFilter } from './read-record.ts'
import type { Removal } from './record-store.ts'
import type { Message, Messages } from './shared-store.ts'

/** What gates tell each other of sessions that have ended for good. */
export interface News {
  /** This gate has ended a session. */
  tellEnd(session: Removal, end: End): void
  /** The operator has closed all that match. */
  tellMark(mark: CloseMark): void
  listen(listener: NewsListener): void
}

export interface NewsListener {
  ended(session: Removal, end: End): void
  marked(mark: CloseMark): void
  /** News may have been lost. */
  lost(): void
}

/** What cannot be told is found out with the next report: the store keeps it, too. */
export function createNews(messages: Messages): News {
  const post = (message: Message): void => void messages.post(message).catch(() => undefined)
  return {
    tellEnd: ({ id, viewer }, end) => post({ kind: 'ended', id, viewer, ...end }),
    tellMark: ({ filter, at, until }) => post({ kind: 'mark', filter: JSON.stringify(filter), at, until }),
    listen(listener) {
      messages.onLost(listener.lost)
      messages.onMessage((message) => {
        const { kind, id, viewer } = message
        const end = readEnd(message)
        const isSession = typeof id === 'string' && typeof viewer === 'string'
        if (kind === 'ended' && isSession && end !== undefined) listener.ended({ id, viewer }, end)
        const mark = kind === 'mark' ? readMark(message) : undefined
        if (mark !== undefined) listener.marked(mark)
      })
    },
  }
}

function readMark({ filter, at, until }: Message): CloseMark | undefined {
  const read = typeof filter === 'string' ? readFilter(filter) : undefined
  const isTime = typeof at === 'number' && typeof until === 'number'
  return read !== undefined && isTime ? { filter: read, at, until } : undefined
}
