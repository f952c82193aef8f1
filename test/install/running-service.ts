import assert from 'node:assert/strict'
import type { Debian } from './debian.ts'

/** The process id of the gate, or 0 when it does not run. */
export async function mainPid(debian: Debian): Promise<number> {
  return Number(await debian.run('systemctl show --property MainPID --value alta-auth.service'))
}

/** Both units run and start with the machine. The gate is its own user, confined, on systemd's socket. */
export async function assertRunsAsService(debian: Debian): Promise<void> {
  for (const [what, answer] of [
    ['is-active', 'active'],
    ['is-enabled', 'enabled'],
  ])
    assert.equal(
      await debian.run(`systemctl ${what} alta-auth.socket alta-auth.service`),
      `${answer}\n${answer}\n`,
    )
  const process = `/proc/${await mainPid(debian)}`
  assert.equal(await debian.run(`stat --format %U ${process}`), 'alta-auth\n')
  const environment = (await debian.run(`cat ${process}/environ`)).split('\0')
  assert.ok(environment.includes('CHANNEL_PATTERN=^/live/(\\w+)/'), environment.join('\n'))
  assert.ok(environment.includes('LISTEN_FDS=1'))
  assert.match(await debian.run(`cat ${process}/status`), /^CapBnd:\t0{16}\n(?:.*\n)*NoNewPrivs:\t1$/m)
}
