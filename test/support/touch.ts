import { type Look, look } from '../../src/limit/look.ts'
import type { Times } from '../../src/limit/times.ts'
import type { User } from '../../src/limit/user.ts'

export type Touch = Look & {
  /** `out`: it has been ended, now or before. */
  readonly session: 'in' | 'unknown' | 'out'
}

/** As `look`, for one session. */
export function touch(user: User, now: number, id: string, seen: number, times: Times): Touch {
  const looked = look(user, now, [{ id, seen }], times)
  if (looked.user.entries.some((entry) => entry.id === id)) return { ...looked, session: 'in' }
  return { ...looked, session: looked.user.marks.some((mark) => mark.id === id) ? 'out' : 'unknown' }
}
