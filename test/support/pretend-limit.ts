import type { End } from '../../src/decision/stored.ts'
import type { SessionLimitOptions } from '../../src/limit/limit-options.ts'
import { createSessionLimit, type UserLimit } from '../../src/limit/session-limit.ts'
import type { Cause } from '../../src/limit/user.ts'
import type { Session } from '../../src/session/session.ts'

/** As the settings of the limit; the rest as shipped. */
export type PretendLimitSettings = Partial<
  Pick<SessionLimitOptions, 'sessionLimit' | 'maxUserSessions' | 'minUserSessions'>
>

/** What the limit has told. */
export interface LimitNotes {
  readonly displaced: { readonly id: string; readonly by: string; readonly cause: Cause }[]
  readonly refused: string[]
  readonly nonsense: string[]
  readonly shared: string[]
}

/** The limit as shipped, and what it tells. */
export function createPretendLimit(
  settings: PretendLimitSettings,
  around: Pick<SessionLimitOptions, 'identify' | 'clock' | 'after' | 'idle' | 'stored'> & {
    readonly end: (session: Session, why: End['why']) => void
  },
): { readonly limit: UserLimit; readonly notes: LimitNotes } {
  const notes: LimitNotes = { displaced: [], refused: [], nonsense: [], shared: [] }
  const limit = createSessionLimit({
    sessionLimit: 'newest',
    minUserSessions: 1,
    ...settings,
    ...around,
    groupOf: () => '',
    end: async (session, { why }) => around.end(session, why),
    on: {
      displaced: ({ id }, by, cause) => void notes.displaced.push({ id, by, cause }),
      refused: (user) => void notes.refused.push(user),
      nonsense: (_backend, sent) => void notes.nonsense.push(sent),
      shared: (user) => void notes.shared.push(user),
      // Nobody catches this error, so the test that caused it fails.
      internalError(error) {
        throw error
      },
    },
  })
  limit.start()
  return { limit, notes }
}
