import { setImmediate } from 'node:timers/promises'
import type { Return, Stored, StoredSession } from '../../src/decision/stored.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session } from '../../src/session/session.ts'
import { clientRequest } from './pretend-gate.ts'

/** A store that holds a few sessions, always the same objects, of whoever asks. */
export interface PretendStore extends Stored {
  readonly playing: StoredSession[]
  readonly silent: StoredSession[]
  readonly taken: (readonly [id: string, as: Return])[]
  /** Ids that were ended. */
  readonly ended: string[]
  /** Never answers from now on. */
  hang(): void
}

export function createPretendStore(): PretendStore {
  const playing: StoredSession[] = []
  const silent: StoredSession[] = []
  const taken: [string, Return][] = []
  const ended: string[] = []
  let hangs = false
  // A busy machine is no store that hangs.
  let timeout = 60_000
  return {
    playing,
    silent,
    taken,
    ended,
    hang() {
      hangs = true
      timeout = 1
    },
    get timeout() {
      return timeout
    },
    async recall({ viewer }) {
      if (hangs) await new Promise(() => {})
      await setImmediate()
      const own = ({ session }: StoredSession): boolean => session.viewer === viewer
      return { playing: playing.filter(own), silent: silent.filter(own) }
    },
    isFree: () => true,
    take({ session }, as) {
      taken.push([session.id, as])
      return true
    },
    granted() {},
    postponed() {},
    async end({ id }) {
      ended.push(id)
    },
  }
}

const patterns = { channelPattern: undefined, credentialPattern: undefined }
const identify = createIdentify({ tokenParams: ['token'], ignoredParams: ['_HLS_*', 'CMCD'], ...patterns })
const scopeOf = createScopeOf(patterns)

/**
 * A session of the store that this request of `clientRequest` has opened at 0 of the pretend clock.
 * @param more of the session
 */
export function storedSession(
  id: string,
  target: string,
  more: Partial<Pick<Session, 'lastSeen' | 'dueAt' | 'userId'>> = {},
  stored: Partial<StoredSession> = {},
): StoredSession {
  const subrequest = clientRequest(target)
  const identity = identify(subrequest)
  const session = new Session(identity, subrequest, id, 0, scopeOf(identity))
  Object.assign(session, { dueAt: Number.POSITIVE_INFINITY, ended: true, requests: 7, ...more })
  session.activeAt = session.lastSeen
  const resumeFor = 3_600_000
  const resumableUntil = session.lastSeen + resumeFor
  return {
    session,
    allowedAt: 0,
    resumeFor,
    resumableUntil,
    part: 1,
    silent: false,
    limited: undefined,
    number: 0,
    ...stored,
  }
}
