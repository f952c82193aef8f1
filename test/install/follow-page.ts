import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import type { Debian } from './debian.ts'
import { readCommands } from './read-commands.ts'
import { assertKeepsStore, assertRunsAsService } from './running-service.ts'

const settings = '/etc/alta-auth/alta-auth.env'
const [reload = '', ask = '', check = '', ...moreOfNginx] = readCommands('nginx')

/** Asks as the page does: with a good token and with a bad one. Returns the two statuses, one a line. */
export function askBoth(debian: Debian): Promise<string> {
  return debian.run(ask)
}

/** The section "Settings", in both ways of installing. */
export async function followSettings(debian: Debian): Promise<void> {
  const [config = '', restart = '', ...others] = readCommands('Settings')
  assert.deepEqual(others, [])
  assert.equal(await debian.run(`stat --format '%a %U:%G' ${settings}`), '640 root:alta-auth\n')
  // The line of the page about backslashes.
  await debian.run(`echo "CHANNEL_PATTERN='^/live/(\\\\w+)/'" >> ${settings}`)

  const shown = await debian.run(config)
  for (const line of ['BACKEND_URL=http://127.0.0.1:6000/auth', 'CHANNEL_PATTERN=^/live/(\\w+)/'])
    assert.match(shown, new RegExp(`^${line.replaceAll(/[\\^$()+.]/g, '\\$&')} +# ${settings}$`, 'm'))
  assert.match(shown, /^STATE_URL=file:\/run\/alta-auth-store\/state +# RUNTIME_DIRECTORY$/m)
  // Another user than root learns why not.
  const other = await debian.tryRun('setpriv --reuid=nobody --clear-groups alta-auth config')
  assert.equal(other.code, 2)
  assert.match(other.output, /alta-auth\.env cannot be read by this user \(EACCES\).*run the command as root/)

  assert.match(await debian.run(restart), /"ready":true/)
  await assertRunsAsService(debian)
  await assertKeepsStore(debian)
}

/** The section "nginx", in both ways of installing. */
export async function followNginx(debian: Debian): Promise<void> {
  assert.deepEqual(moreOfNginx, [])
  await debian.run(reload)
  // nginx reloads in the background, and answers as before until it has.
  await until('the new site', async () => (await askBoth(debian)) !== '404\n404\n', 30_000)
  assert.equal(await askBoth(debian), '200\n403\n')
  const log = await debian.run('cat /var/log/nginx/live.access.log')
  assert.match(log, /verdict=allow source=backend reason=backend-200/)
  assert.match(log, /verdict=deny source=backend reason=backend-403/)
  // A clean server has nothing that could be a warning either.
  assert.match(await debian.run(check), /\nNothing failed(?:, \d+ skipped)?\.\n$/)
}
