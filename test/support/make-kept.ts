import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session } from '../../src/session/session.ts'
import type { Kept } from '../../src/state/kept.ts'
import { clientRequest } from './pretend-gate.ts'

const patterns = { channelPattern: undefined, credentialPattern: undefined }
const identify = createIdentify({ tokenParams: ['token'], ignoredParams: [], ...patterns })
const scopeOf = createScopeOf(patterns)

/** What a test says of a session and its standing; the rest is as for one that was opened at 0 and plays. */
export interface KeptFields extends Partial<Omit<Kept, 'session'>> {
  readonly openedAt?: number
  /** Also when it was active last. */
  readonly lastSeen?: number
  readonly user?: string
  readonly address?: string
}

/** @param target path and query as one text */
export function makeKept(id: string, target = '/a/index.m3u8?token=X', fields: KeptFields = {}): Kept {
  const { openedAt = 0, lastSeen = openedAt, user = '', address = '192.0.2.1', ...more } = fields
  const opener = clientRequest(target, { address })
  const identity = identify(opener)
  const session = new Session(identity, opener, id, openedAt, scopeOf(identity))
  session.userId = user
  session.lastSeen = lastSeen
  session.activeAt = lastSeen
  return {
    ...{ session, part: 1, came: 'opened', allowedAt: openedAt, resumeFor: 36_000_000, toldAt: 0 },
    ...{ silent: false, removed: false, limited: undefined, hasLeft: false, number: 0, from: openedAt },
    ...more,
  }
}
