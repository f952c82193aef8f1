import type { Settings } from '../config/read-settings.ts'
import type { Session } from '../session/session.ts'
import { createSessionLimit } from '../users/session-limit.ts'
import type { SessionLimitOptions, UserLimit } from '../users/user-limit.ts'

export interface LimitOptions extends Pick<SessionLimitOptions, 'identify' | 'clock' | 'on'> {
  readonly settings: Settings
  /** Ends a session of the table. Resolves when not even a crash brings it back. */
  readonly end: (session: Session) => Promise<unknown>
}

/** The limit of sessions of a user; undefined where SESSION_LIMIT is off. */
export function createLimit({ settings, ...rest }: LimitOptions): UserLimit | undefined {
  const { limit, backendMode, sessionIdle: idle } = settings
  if (limit.sessionLimit === 'off') return undefined
  return createSessionLimit({
    ...rest,
    ...limit,
    idle,
    unseen: Math.min(settings.nginxTtl, idle / 2),
    // In `failover` all backends are one middleware. In `any` each knows users of its own.
    groupOf: (backend) => (backendMode === 'any' ? backend : ''),
    after(milliseconds, act) {
      const timer = setTimeout(act, milliseconds).unref()
      return () => clearTimeout(timer)
    },
  })
}
