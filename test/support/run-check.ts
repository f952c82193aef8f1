import type { Environment } from '../../src/config/read-settings.ts'
import { mainFile, startMain } from './main-process.ts'
import type { Scope } from './scope.ts'

/** What `alta-auth check --json` prints. */
export interface CheckJson {
  readonly ok: boolean
  readonly checks: readonly {
    readonly name: string
    readonly result: 'ok' | 'warning' | 'failed' | 'skipped'
    readonly finding: string
    readonly remedy?: string
    readonly [detail: string]: unknown
  }[]
}

export interface CheckRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `alta-auth check` as an operator does, with exactly this environment. `before` is written before the
 * command.
 */
export async function runCheck(
  scope: Scope,
  environment: Environment,
  parameters: readonly string[] = [],
  before: readonly string[] = [],
): Promise<CheckRun> {
  const [program = '', ...rest] = [...before, process.execPath, mainFile, 'check', ...parameters]
  const main = startMain(scope, environment, { command: [program, ...rest] })
  const code = await main.exited
  return { code, stdout: main.stdout(), stderr: main.stderr() }
}

/** Runs `alta-auth check --json` and reads its output. */
export async function readCheck(
  scope: Scope,
  environment: Environment,
  before: readonly string[] = [],
): Promise<CheckJson & { readonly code: number | null }> {
  const { code, stdout, stderr } = await runCheck(scope, environment, ['--json'], before)
  if (stderr !== '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as CheckJson), code }
}
