import { type SessionEnd, sessionEnds } from '../session/session.ts'
import {
  type Decision,
  refusedReasons,
  type Source,
  sources,
  unavailableReasons,
  type Verdict,
} from '../verdict.ts'

/** How many answers of one kind nginx has got. */
interface AnswerCount {
  readonly verdict: Verdict
  readonly source: Source
  /** As in `X-Auth-Reason`, but `backend-other` for a status that is none of HTTP's. */
  readonly reason: string
  readonly count: number
}

/** Counts what happens. It is on the hit path: each answer is a look-up and an addition. */
export interface Tally {
  /** nginx got this answer. Called once for each subrequest, refused ones included. */
  answered(decision: Decision): void
  /** A subrequest was refused before it could be read. */
  refused(): void
  sessionOpened(): void
  sessionEnded(why: SessionEnd): void
  /** The counts since the start. */
  snapshot(): {
    /**
     * All possible combinations of verdict, source and reason, also those with a count of 0: Prometheus then
     * sees the first one as an increase. A status that a backend chose is listed once it was answered.
     */
    readonly answers: readonly AnswerCount[]
    readonly sessionsOpened: number
    readonly sessionsEnded: Readonly<Record<SessionEnd, number>>
  }
}

const verdicts = ['allow', 'deny'] as const

const withoutAnswer = unavailableReasons.map((reason) => `unavailable-${reason}`)
/** The possible combinations of verdict and source, with their reasons. */
const possible: readonly (readonly [Verdict, Source, readonly string[]])[] = [
  ['allow', 'backend', ['backend-200']],
  ['deny', 'backend', ['backend-403']],
  ['allow', 'session', ['riding', 'remembered', 'adopted', 'resumed']],
  ['deny', 'session', ['remembered']],
  ['allow', 'stale', withoutAnswer],
  ['deny', 'stale', withoutAnswer],
  ['allow', 'default', withoutAnswer],
  ['deny', 'default', withoutAnswer],
  ['deny', 'gate', ['bad-request', 'session-limit', ...refusedReasons]],
]

/** Creates a tally at zero. */
export function createTally(): Tally {
  /** For each reason, one cell for each source and verdict. Doubles count beyond 2³¹ without allocating. */
  const rows = new Map<string, Float64Array>()
  const ended = Object.fromEntries(sessionEnds.map((why) => [why, 0])) as Record<SessionEnd, number>
  let opened = 0

  const addRow = (reason: string): Float64Array => {
    const label = boundedReason(reason)
    const row = rows.get(label) ?? new Float64Array(sources.length * verdicts.length)
    rows.set(label, row)
    return row
  }
  for (const [, , reasons] of possible) for (const reason of reasons) addRow(reason)
  const badRequest = addRow('bad-request')

  const count = (row: Float64Array, cell: number): void => {
    row[cell] = (row[cell] ?? 0) + 1
  }

  return {
    answered: ({ verdict, source, reason }) =>
      count(rows.get(reason) ?? addRow(reason), cellOf(verdict, source)),
    refused: () => count(badRequest, cellOf('deny', 'gate')),
    sessionOpened() {
      opened++
    },
    sessionEnded(why) {
      ended[why]++
    },
    snapshot() {
      const answers: AnswerCount[] = []
      for (const [reason, row] of rows) {
        for (const source of sources) {
          for (const verdict of verdicts) {
            const counted = row[cellOf(verdict, source)] ?? 0
            if (counted > 0 || isPossible(verdict, source, reason))
              answers.push({ verdict, source, reason, count: counted })
          }
        }
      }
      return { answers, sessionsOpened: opened, sessionsEnded: { ...ended } }
    },
  }
}

function cellOf(verdict: Verdict, source: Source): number {
  return sources.indexOf(source) * verdicts.length + (verdict === 'allow' ? 0 : 1)
}

function isPossible(verdict: Verdict, source: Source, reason: string): boolean {
  return possible.some(
    ([one, other, reasons]) => one === verdict && other === source && reasons.includes(reason),
  )
}

/** A backend may answer with any three digits. The bound keeps the number of series small. */
function boundedReason(reason: string): string {
  const status = /^backend-(.*)$/.exec(reason)?.[1]
  return status === undefined || /^[1-5]\d\d$/.test(status) ? reason : 'backend-other'
}
