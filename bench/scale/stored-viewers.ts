import { limitedSessionOf } from '../../src/limit/limited-session.ts'
import { change } from '../../src/limit/rules.ts'
import { nobody } from '../../src/limit/user.ts'
import { textOfUser } from '../../src/limit/user-text.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session } from '../../src/session/session.ts'
import { recordOf } from '../../src/state/kept.ts'
import { userAgentOf } from '../audience.ts'
import type { Write } from './open-store.ts'

/** One viewer who plays, as a gate writes it: a session with a URL of 200 bytes. */
export interface StoredViewer {
  readonly viewer: string
  readonly write: Write
  readonly user: string
  /** What gates share of the user: one session, with a limit of one. */
  readonly text: string
  /** Milliseconds that it is kept. */
  readonly keepFor: number
}

const ORIGIN = 'https://live.example.com'
const URL_LENGTH = 200
const CHANNELS = 500
const MINUTE = 60_000
/** The defaults of the settings. */
const IDLE = 120_000
const DAY = 24 * 60 * MINUTE
const RESUME = 15 * MINUTE

const patterns = { channelPattern: /^\/live\/([^/]+\/[^/]+)\//, credentialPattern: undefined }
const identify = createIdentify({
  ...patterns,
  tokenParams: ['token'],
  ignoredParams: ['_HLS_*', 'CMCD'],
})
const scopeOf = createScopeOf(patterns)
const settings = { idle: IDLE, report: IDLE / 4, gate: 'gate', unseen: 0, isReport: false }

/**
 * The viewer of this number. All that a gate makes of a request is made by the gate's own code.
 * @param now milliseconds of store time
 * @param hasLimit whether the backend has named a user and a number
 */
export function storedViewer(number: number, now: number, hasLimit: boolean): StoredViewer {
  const path = `/live/region-${number % 40}/channel-${number % CHANNELS}/index.m3u8`
  const token = number.toString(16).padStart(16, '0').repeat(12)
  const opener = {
    address: `${10 + (number >> 24)}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    origin: ORIGIN,
    path,
    query: `token=${token}`.slice(0, URL_LENGTH - ORIGIN.length - path.length - 1),
    userAgent: userAgentOf(number),
    playbackId: '',
  }
  const identity = identify(opener)
  // As long as those of a gate.
  const id = token.padEnd(22, 'x').slice(0, 22)
  const session = new Session(identity, opener, id, now, scopeOf(identity))
  const user = `user-${number}`
  session.userId = hasLimit ? user : ''
  session.dueAt = now + MINUTE
  session.requests = 20
  const limited = hasLimit ? { user, entered: now, maxSessions: '1', unique: 'true' } : undefined
  const kept = {
    ...{ session, part: 1, came: 'opened' as const, allowedAt: now, resumeFor: RESUME },
    ...{ limited, toldAt: now, silent: false, removed: false },
    ...{ hasLeft: false, number: 0, from: now },
  }
  const terms = { max: 1, policy: 'newest' } as const
  const opening = { what: 'opening', session: limitedSessionOf(session, identity), terms } as const
  const { user: state } = change(nobody, opening, now, settings)
  return {
    viewer: session.viewer,
    write: { record: recordOf(kept, { now: () => now, offset: 0 }), expiresAt: now + IDLE + DAY },
    user,
    text: textOfUser(state),
    keepFor: IDLE + 1,
  }
}
