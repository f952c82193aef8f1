import { type Audience, LEFT, type Load, REPORT, USER_REPORT } from './audience.ts'

/** The formulas of docs/scale.md. */
export function loadOf(audience: Audience): Load {
  const { viewers, segment, channel, visit, kickOff, allow, idle, resume, isLimited } = audience
  // One stay is one channel of one viewer: it ends by another channel or with the visit.
  const stay = 1 / (1 / channel + 1 / visit)
  const openings = viewers / stay
  // A re-check waits for the next request. A stay that lasts until its first one is re-checked then, and once
  // in each such time after that.
  const due = allow + segment / 2
  const lasts = Math.exp(-due / stay)
  const rechecks = viewers * lasts * (1 / stay + 1 / due)
  const report = idle * REPORT
  const reports = viewers * reportsBetween(due, report) + (openings * (1 - lasts)) / 2
  const looks = viewers / (idle * USER_REPORT) + viewers / visit / 2

  return {
    requests: (2 * viewers) / segment,
    ...{ openings, rechecks, questions: openings + rechecks },
    recalls: openings + rechecks,
    // When it opens, when it goes silent, and between.
    writes: 2 * openings + reports + rechecks,
    replaces: isLimited ? 2 * openings + looks + rechecks : 0,
    sessions: viewers + openings * idle,
    // What is left waits until its viewer leaves something else.
    records: viewers * (1 + (Math.min(LEFT, resume) + stay) / channel + resume / visit),
    rush: viewers / kickOff + openings / 2,
  }
}

/** Reports of a session in a second: a re-check is one, too. */
function reportsBetween(due: number, report: number): number {
  return Number.isFinite(due) ? Math.floor(due / report) / due : 1 / report
}
