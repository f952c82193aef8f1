import type { SessionView } from '../session/session-view.ts'
import { comparePlaces, cursorOf } from './place-in-list.ts'
import { readReply } from './read-reply.ts'
import type { PlacedSession, SessionPage, SessionSlice } from './sessions-desk.ts'

/**
 * One page out of those of several gates, which all begin at the same place. A session that two gates hold,
 * because its viewer has moved from one to the other, is listed once: as the gate has it that saw it last.
 * So `total` is an upper bound.
 */
export function mergeSessions(slices: readonly SessionSlice[], limit: number): SessionPage {
  const found = new Map<string, PlacedSession>()
  let twice = 0
  for (const one of slices.flatMap(({ sessions }) => sessions)) {
    const other = found.get(one.id)
    if (other !== undefined) twice++
    if (other === undefined || one.view.lastRequest > other.view.lastRequest) found.set(one.id, one)
  }
  const all = [...found.values()].sort(comparePlaces)
  const page = all.slice(0, limit)
  const last = page.at(-1)
  const more = all.length > limit || slices.some((slice) => slice.more)
  return {
    sessions: page.map(({ view }) => view),
    next: more && last !== undefined ? cursorOf(last) : null,
    total: slices.reduce((sum, { total }) => sum + total, 0) - twice,
  }
}

/** What another gate has answered. */
export function readSlice(value: unknown): SessionSlice {
  const reply = readReply(value)
  const sessions = reply.list('sessions').flatMap((one): PlacedSession[] => {
    const placed = readReply(one)
    const id = placed.text('id')
    const view = readView(placed.record('view'))
    return id === undefined || view === undefined ? [] : [{ openedAt: placed.number('openedAt'), id, view }]
  })
  return { sessions, more: reply.flag('more'), total: reply.number('total') }
}

/** Undefined for what is no session. Fields that this release does not know are passed on. */
export function readView(value: unknown): SessionView | undefined {
  const reply = readReply(value)
  const isOne = reply.text('session') !== undefined && reply.text('lastRequest') !== undefined
  return isOne ? (value as SessionView) : undefined
}
