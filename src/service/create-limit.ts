import type { Settings } from '../config/read-settings.ts'
import type { SessionLimitOptions } from '../limit/limit-options.ts'
import { createSessionLimit, type UserLimit } from '../limit/session-limit.ts'

interface LimitOptions
  extends Pick<SessionLimitOptions, 'identify' | 'clock' | 'end' | 'on' | 'stored' | 'unseen'> {
  readonly settings: Settings
}

/** The limit of sessions of a user; undefined where SESSION_LIMIT is off. */
export function createLimit({ settings, ...rest }: LimitOptions): UserLimit | undefined {
  const { limit, backendMode, sessionIdle: idle } = settings
  if (limit.sessionLimit === 'off') return undefined
  return createSessionLimit({
    ...rest,
    ...limit,
    idle,
    // In `failover` all backends are one middleware. In `any` each knows users of its own.
    groupOf: (backend) => (backendMode === 'any' ? backend : ''),
    after(milliseconds, act) {
      const timer = setTimeout(act, milliseconds).unref()
      return () => clearTimeout(timer)
    },
  })
}
