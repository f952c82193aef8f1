import { execFileSync } from 'node:child_process'
import { docker, testName, tryDocker } from '../compose/docker.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

export interface Debian {
  /**
   * Runs a shell script as root in a folder. It ends at the first failing command. Returns what it printed.
   * @throws when one fails
   */
  run(script: string, folder?: string): Promise<string>
  /** The same, and whether all went well. */
  tryRun(script: string, folder?: string): ReturnType<typeof tryDocker>
  /** Starts a program that goes on. */
  start(...command: readonly string[]): Promise<void>
  /** Copies a folder of this machine. */
  copyIn(from: string, to: string): Promise<void>
}

/** Where the certificates of this machine's own package registries lie in the container. */
const certificates = '/opt/certificates.crt'

/** Milliseconds: installing Debian and npm packages on a slow machine. */
const PATIENCE = 300_000

/**
 * A server has systemd, and starts what is installed. It must not change the kernel, which is this machine's.
 */
const server = `
FROM debian:trixie-slim
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd dbus \\
 && systemctl mask systemd-sysctl.service systemd-modules-load.service getty@tty1.service \\
 && rm -f /usr/sbin/policy-rc.d
`

/** systemd needs a control group file system of the new kind, whatever this machine uses. */
const boot =
  'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /usr/lib/systemd/systemd'

/** npm's cache on this machine: the container takes from it what was fetched before. */
const npmCache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim()

/**
 * Boots a Debian with nothing but systemd in a container, which is removed when the scope ends.
 * @param purpose a word in its name
 */
export async function bootDebian(scope: Scope, purpose: string): Promise<Debian> {
  const name = `${testName}-${purpose}`
  scope.after(async () => {
    await tryDocker(['rm', '--force', '--volumes', name])
    await tryDocker(['image', 'rm', '--force', name])
  })
  await docker(['build', '--tag', name, '-'], { input: server, patience: PATIENCE })
  await docker([
    ...['run', '--detach', '--name', name, '--hostname', 'debian', '--privileged', '--cgroupns', 'private'],
    ...['--tmpfs', '/run', '--tmpfs', '/tmp', '--env', 'container=docker'],
    ...['--volume', `${npmCache}:/root/.npm`],
    ...['--volume', `/etc/ssl/certs/ca-certificates.crt:${certificates}:ro`],
    ...[name, 'sh', '-c', boot],
  ])
  const exec = ['exec', '--env', `NODE_EXTRA_CA_CERTS=${certificates}`]
  const tryRun = (script: string, folder = '/root') =>
    tryDocker([...exec, '--workdir', folder, name, 'sh', '-euc', script], { patience: PATIENCE })
  await until(
    'systemd to have booted',
    async () => /^(?:running|degraded)/.test((await tryRun('systemctl is-system-running')).output),
    60_000,
  )
  return {
    tryRun,
    async run(script, folder) {
      const { code, output } = await tryRun(script, folder)
      if (code !== 0) throw new Error(`this ended with ${code}:\n${script}\n${output}`)
      return output
    },
    async start(...command) {
      await docker(['exec', '--detach', name, ...command])
    },
    async copyIn(from, to) {
      await docker(['cp', from, `${name}:${to}`])
    },
  }
}
