import type { Rehearsal } from '../decision/rehearse.ts'
import type { UserLimit } from '../limit/session-limit.ts'
import { clientIn } from '../session/identity.ts'
import type { ToIso } from '../session/session-view.ts'
import type { ExplainedLimit } from './explanation.ts'

export interface ExplainLimitOptions {
  /** Undefined where SESSION_LIMIT is off. */
  readonly limit: Pick<UserLimit, 'describe' | 'whyOut'> | undefined
  readonly toIso: ToIso
}

/** What the user of a request plays, and why they are out; null where nothing limits them. */
export function explainLimit(
  { limit, toIso }: ExplainLimitOptions,
  { session, identity }: Rehearsal,
): ExplainedLimit | null {
  const out = session === undefined ? limit?.whyOut(identity) : undefined
  const user = out ?? (session && limit?.describe(session))
  if (user?.terms === undefined) return null
  const { max, policy } = user.terms
  const { length: count } = user.plays
  return {
    // The key of a user begins with the group of their backend.
    user: user.user.slice(user.user.indexOf('\n') + 1),
    ...{ count, max, policy, finding: `${count} of ${max} stream${max === 1 ? '' : 's'}` },
    plays: user.plays.map(({ session, viewer, place, since, seen, is }) => ({
      session,
      address: clientIn(viewer),
      place,
      since: toIso(since),
      lastRequest: toIso(seen),
      is,
    })),
    out: out === undefined ? null : whyOut(out, toIso),
  }
}

function whyOut(out: NonNullable<ReturnType<UserLimit['whyOut']>>, toIso: ToIso): string {
  const by = out.by === '' ? 'another session of this user' : `session ${out.by}`
  const until =
    out.until === undefined ? '' : `; while there is no room, it stays out until ${toIso(out.until)}`
  return `session ${out.session.id} was put out by ${by} at ${toIso(out.at)}${until}`
}
