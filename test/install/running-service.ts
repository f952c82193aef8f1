import assert from 'node:assert/strict'
import type { Debian } from './debian.ts'

/** The process id of the gate, or of another service; 0 when it does not run. */
export async function mainPid(debian: Debian, service = 'alta-auth.service'): Promise<number> {
  return Number(await debian.run(`systemctl show --property MainPID --value ${service}`))
}

/** One service runs as the same user as another, with as few rights. */
export async function assertConfinedAs(debian: Debian, service: string, other: string): Promise<void> {
  const read = async (name: string): Promise<string> =>
    debian.run(
      `grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/${await mainPid(debian, name)}/status`,
    )
  assert.equal(await read(service), await read(other))
}

const folders = ['/run/alta-auth-store', '/var/lib/alta-auth']

/**
 * The folders of the store are the gate's alone, it may write there and nowhere else, and what lies there
 * outlives a restart, a crash and a stop.
 */
export async function assertKeepsStore(debian: Debian): Promise<void> {
  const service = 'alta-auth.service'
  for (const folder of folders) {
    assert.equal(await debian.run(`stat --format '%a %U:%G' ${folder}`), '700 alta-auth:alta-auth\n', folder)
    await asGate(debian, `mkdir -m 0700 ${folder}/kept`)
  }
  for (const folder of ['/run', '/var/lib', '/etc/alta-auth', '/usr/lib'])
    await assert.rejects(asGate(debian, `mkdir ${folder}/probe`), /Read-only|Permission denied/, folder)
  await debian.run(`systemctl restart ${service}`)
  await debian.run(`systemctl kill --signal KILL ${service}; systemctl stop ${service}`)
  await debian.run(`systemctl start ${service}`)
  for (const folder of folders) {
    assert.equal(await debian.run(`stat --format '%a %U' ${folder}/kept`), '700 alta-auth\n', folder)
    await asGate(debian, `rmdir ${folder}/kept`)
  }
}

/** Runs a command where the gate runs: with its view of the files, as its user. */
async function asGate(debian: Debian, command: string): Promise<string> {
  const user = '--setuid $(id --user alta-auth) --setgid $(id --group alta-auth)'
  return debian.run(`nsenter --target ${await mainPid(debian)} --mount ${user} ${command}`)
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
  assert.ok(environment.includes('RUNTIME_DIRECTORY=/run/alta-auth-store'))
  assert.match(await debian.run(`cat ${process}/status`), /^CapBnd:\t0{16}\n(?:.*\n)*NoNewPrivs:\t1$/m)
}
