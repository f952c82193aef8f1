import type { End } from '../../src/decision/stored.ts'
import type { Cause } from '../../src/limit/user.ts'
import type { Session } from '../../src/session/session.ts'
import { createSessionLimit } from '../../src/users/session-limit.ts'
import type { SessionLimitOptions, UserLimit } from '../../src/users/user-limit.ts'

/** As the settings of the limit; the rest as shipped. Times are milliseconds. */
export type PretendLimitSettings = Partial<
  Pick<SessionLimitOptions, 'sessionLimit' | 'maxUserSessions' | 'minUserSessions' | 'grace' | 'hold'>
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
  around: Pick<SessionLimitOptions, 'identify' | 'clock' | 'after' | 'idle' | 'shared'> & {
    readonly end: (session: Session, why: End['why']) => void
  },
): { readonly limit: UserLimit; readonly notes: LimitNotes } {
  const notes: LimitNotes = { displaced: [], refused: [], nonsense: [], shared: [] }
  const limit = createSessionLimit({
    sessionLimit: 'newest',
    minUserSessions: 1,
    grace: 15_000,
    hold: 60_000,
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
