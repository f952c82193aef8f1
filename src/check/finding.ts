import { onOneLine } from '../config/on-one-line.ts'
import type { CheckName } from './check-names.ts'

/**
 * `failed`: it does not work. `warning`: it works, but something is wrong. `skipped`: it could not be
 * checked.
 */
export type CheckResult = 'ok' | 'warning' | 'failed' | 'skipped'

type Detail = Readonly<Record<string, unknown>>

/** What one check found. */
export interface Finding {
  readonly name: CheckName
  readonly result: CheckResult
  /** One sentence without a full stop, on one line. It holds no secret. */
  readonly finding: string
  /** What to do about it. */
  readonly remedy?: string
  /** Figures for machines. Times are milliseconds. */
  readonly detail?: Detail
  /** Which backend, when there are several. */
  readonly backend?: string
}

type Found = (finding: string, remedy?: string, detail?: Detail) => Finding

/** One function for each result of a check. Sentences have no full stop; they are put on one line. */
export function findingsOf(name: CheckName): Readonly<Record<CheckResult, Found>> {
  const found =
    (result: CheckResult): Found =>
    (finding, remedy, detail) => ({
      name,
      result,
      finding: onOneLine(finding),
      ...(remedy === undefined ? {} : { remedy: onOneLine(remedy) }),
      ...(detail === undefined ? {} : { detail }),
    })
  return { ok: found('ok'), warning: found('warning'), failed: found('failed'), skipped: found('skipped') }
}
