import { isatty } from 'node:tty'
import { createAddressesOf } from '../check/cookie/create-addresses-of.ts'
import { readKernel } from '../check/nginx/read-kernel.ts'
import { runNginx } from '../check/nginx-conf/run-nginx.ts'
import { formatFindings, formatJson, formatSum, isGood } from '../check/report.ts'
import { runChecks } from '../check/run-checks.ts'
import type { FoundSettings } from '../config/find-settings.ts'
import { ENDED, FAILED } from './exit-codes.ts'

const STDOUT = 1
const CLEAR_LINE = '\r\x1b[K'

/**
 * Checks an installation, prints what is wrong with its remedy, and ends the process. The exit code is 0 when
 * nothing failed, else 1.
 */
export async function check(found: FoundSettings, json: boolean): Promise<never> {
  const { environment } = found
  const isTerminal = isatty(STDOUT)
  const colour = isTerminal && !environment['NO_COLOR']
  const width = isTerminal ? process.stdout.columns : undefined
  const showsProgress = isTerminal && !json
  const write = (text: string): Promise<unknown> =>
    new Promise((resolve) => process.stdout.write(text, resolve))

  // A reader that closes early, such as `head`, is no error.
  process.stdout.on('error', () => {})

  const findings = await runChecks({
    found,
    clock: () => Math.round(performance.now()),
    now: Date.now,
    runNginx: () => runNginx(environment['PATH'] ?? ''),
    readKernel,
    addressesOf: createAddressesOf(),
    onBusy(what) {
      if (showsProgress) void write(`${CLEAR_LINE}… ${what}`)
    },
    onFindings(found) {
      if (!json) void write(`${showsProgress ? CLEAR_LINE : ''}${formatFindings(found, { colour, width })}`)
    },
  })
  await write(json ? formatJson(findings) : formatSum(findings))
  // `process.exit`, because a name that is still being resolved would keep the process for half a minute.
  process.exit(isGood(findings) ? ENDED : FAILED)
}
