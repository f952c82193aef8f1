import type { Rehearsal } from '../decision/rehearse.ts'
import { whyNotResumed } from '../decision/restore.ts'
import type { StoredSession } from '../decision/stored.ts'
import { type ToIso, viewOf } from '../session/session-view.ts'
import type { SessionStore } from '../state/session-store.ts'
import { AFTER_ALLOW } from '../state/silence.ts'
import type { ExplainedStore, StoredView } from './explanation.ts'

export interface ExplainStoreOptions {
  /** Undefined where STATE_URL is off. */
  readonly store: Pick<SessionStore, 'state' | 'standing'> | undefined
  readonly toIso: ToIso
}

const SHOWN = 5

/**
 * What the store has to do with a decision; null where there is none, or where it was never opened.
 * @param now monotonic milliseconds
 */
export function explainStore(
  { store, toIso }: ExplainStoreOptions,
  rehearsal: Rehearsal,
  now: number,
): ExplainedStore | null {
  if (store === undefined) return null
  const { usable, trouble, message } = store.state()
  if (!usable) {
    if (message === undefined) return null
    return { usable, finding: `nothing that it holds counts now (${trouble}): ${message}`, sessions: [] }
  }
  const { playing, silent } = rehearsal.recalled ?? { playing: [], silent: [] }
  const viewOfSilent = (one: StoredSession): StoredView => ({
    ...viewOfStored(one, toIso),
    silent: true,
    finding: findingOf(one, rehearsal, now),
  })
  const viewOfPlaying = (one: StoredSession): StoredView => ({
    ...viewOfStored(one, toIso),
    silent: false,
    finding: 'it plays, and is taken over',
  })
  const sessions = [...silent.map(viewOfSilent), ...playing.map(viewOfPlaying)].reverse()
  return { usable, finding: aboutAll(rehearsal, store, sessions.length), sessions: sessions.slice(0, SHOWN) }
}

function viewOfStored(
  { session, part, resumableUntil }: StoredSession,
  toIso: ToIso,
): Omit<StoredView, 'silent' | 'finding'> {
  return {
    ...viewOf(session, toIso),
    part,
    // Times of an earlier process lie before 0.
    resumableUntil: resumableUntil === 0 ? null : toIso(resumableUntil),
  }
}

function aboutAll(
  { decision, session, recalled, made }: Rehearsal,
  store: Pick<SessionStore, 'standing'>,
  held: number,
): string {
  if (recalled === undefined) {
    if (session === undefined)
      return made === undefined ? 'not asked: a deny answers' : 'it did not answer in time'
    const standing = store.standing(session)
    if (standing === undefined || standing.came === 'opened') return 'not asked: a known session answers'
    return `this session came back from it (${standing.came}), and is in part ${standing.part}`
  }
  if (decision.reason === 'adopted') return 'it holds the session, which an earlier process has opened'
  if (decision.reason === 'resumed') return 'it holds the session, which was silent and goes on'
  return held === 0
    ? 'it holds nothing of this viewer: what was closed, denied or silent for too long is gone'
    : 'nothing that it holds of this viewer answers the request'
}

/** What becomes of a silent session. */
function findingOf(one: StoredSession, { identity, session, decision }: Rehearsal, now: number): string {
  switch (whyNotResumed(one, identity, now)) {
    case undefined:
      return decision.reason === 'resumed' && session?.id === one.session.id
        ? `it goes on as part ${one.part + 1}`
        : 'this request may resume it'
    case 'uncovered':
      return 'it does not cover this request'
    case 'without-credential':
      return 'a request without a credential may resume it for 15 minutes only; its very own URL still may'
    case 'too-late':
      return whyOver(one)
  }
}

/** Which of the bounds in state/silence.ts has ended its time. */
function whyOver({ session, allowedAt, resumeFor, resumableUntil }: StoredSession): string {
  if (resumableUntil === 0) return 'three later sessions of this viewer are silent, so it may not be resumed'
  if (resumableUntil === session.lastSeen + resumeFor)
    return `it was silent for longer than ${Math.round(resumeFor / 1000)} s, the time that SESSION_RESUME gives it`
  if (resumableUntil === allowedAt + AFTER_ALLOW) return 'a backend has allowed it last more than a day ago'
  return 'its viewer has left it for another channel, more than 5 minutes ago'
}
