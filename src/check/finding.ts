import { onOneLine } from '../config/on-one-line.ts'
import type { CheckName } from './check-names.ts'

export type CheckResult = 'ok' | 'warning' | 'failed' | 'skipped'

type Detail = Readonly<Record<string, unknown>>

/** What one check found. */
export interface Finding {
  readonly name: CheckName
  readonly result: CheckResult
  /** One sentence without a full stop, on one line; holds no secret. */
  readonly finding: string
  /** What to do about it. */
  readonly remedy?: string
  /** Figures for machines; times in milliseconds. */
  readonly detail?: Detail
  /** With several backends, which of them. */
  readonly backend?: string
}

type Found = (finding: string, remedy?: string, detail?: Detail) => Finding

/** The four results of one check. Sentences without a full stop; they are put on one line. */
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
