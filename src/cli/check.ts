import { isatty } from 'node:tty'
import { readKernel } from '../check/nginx/read-kernel.ts'
import { runNginx } from '../check/nginx-conf/run-nginx.ts'
import { formatFindings, formatJson, formatSum, isGood } from '../check/report.ts'
import { runChecks } from '../check/run-checks.ts'
import type { Environment } from '../config/read-settings.ts'
import { ENDED, FAILED } from './exit-codes.ts'

const STDOUT = 1
const CLEAR_LINE = '\r\x1b[K'

/** Looks for what is wrong with an installation, prints it with its remedy, and ends the process: 0 when nothing failed, 1 otherwise. */
export async function check(environment: Environment, json: boolean): Promise<never> {
  const isTerminal = isatty(STDOUT)
  const colour = isTerminal && !environment['NO_COLOR']
  const width = isTerminal ? process.stdout.columns : undefined
  const showsProgress = isTerminal && !json
  const write = (text: string): Promise<unknown> =>
    new Promise((resolve) => process.stdout.write(text, resolve))

  // Whoever reads only the first lines (`| head`) must not end it with an error.
  process.stdout.on('error', () => {})

  const findings = await runChecks({
    environment,
    clock: () => Math.round(performance.now()),
    now: Date.now,
    runNginx: () => runNginx(environment['PATH'] ?? ''),
    readKernel,
    onBusy(what) {
      if (showsProgress) void write(`${CLEAR_LINE}… ${what}`)
    },
    onFindings(found) {
      if (!json) void write(`${showsProgress ? CLEAR_LINE : ''}${formatFindings(found, { colour, width })}`)
    },
  })
  await write(json ? formatJson(findings) : formatSum(findings))
  // A name that is still being looked up would hold the process for half a minute.
  process.exit(isGood(findings) ? ENDED : FAILED)
}
