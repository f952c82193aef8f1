import { onOneLine } from '../config/on-one-line.ts'
import type { CheckName } from './check-names.ts'

export type CheckResult = 'ok' | 'warning' | 'failed' | 'skipped'

/** What one check found. */
export interface Finding {
  readonly name: CheckName
  readonly result: CheckResult
  /** One sentence without a full stop, on one line; holds no secret. */
  readonly finding: string
  /** What to do about it. */
  readonly remedy?: string
  /** Figures for machines; times in milliseconds. */
  readonly detail?: Readonly<Record<string, unknown>>
}

type Detail = Readonly<Record<string, unknown>>

export function ok(name: CheckName, finding: string, detail: Detail = {}): Finding {
  return { name, result: 'ok', finding: onOneLine(finding), detail }
}

export function warning(name: CheckName, finding: string, remedy: string, detail: Detail = {}): Finding {
  return { name, result: 'warning', finding: onOneLine(finding), remedy: onOneLine(remedy), detail }
}

export function failed(name: CheckName, finding: string, remedy: string, detail: Detail = {}): Finding {
  return { name, result: 'failed', finding: onOneLine(finding), remedy: onOneLine(remedy), detail }
}

export function skipped(name: CheckName, finding: string, remedy?: string): Finding {
  return {
    name,
    result: 'skipped',
    finding: onOneLine(finding),
    ...(remedy === undefined ? {} : { remedy }),
  }
}
