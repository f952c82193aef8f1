import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { settingNames } from '../../src/config/settings-table.ts'
import { findFreePort } from '../support/free-port.ts'
import type { Scope } from '../support/scope.ts'
import { docker, testName, tryDocker } from './docker.ts'

/** A file of Docker Compose in the folder of the repository. */
export interface Stack {
  readonly file: string
  /** The variables for its published ports. */
  readonly ports: readonly string[]
}

/** What `docker inspect` says about a container, as far as it matters here. */
export interface Inspected {
  readonly Config: { readonly User: string }
  readonly State: {
    readonly Status: string
    readonly ExitCode: number
    readonly Health: { readonly Status: string }
  }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly Privileged: boolean
    readonly CapDrop: readonly string[]
    readonly SecurityOpt: readonly string[]
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[]>>
  }
}

export interface Project {
  /** The published ports. */
  readonly ports: readonly number[]
  /** `docker compose …`, with these variables set; what it printed. */
  compose(parameters: readonly string[], variables?: Readonly<Record<string, string>>): Promise<string>
  /** The same for a program in a container, which may fail. */
  tryExec(service: string, ...command: readonly string[]): ReturnType<typeof tryDocker>
  inspect(service: string): Promise<Inspected>
  /** The lines about this viewer in the log of an nginx. */
  linesAbout(viewer: string, service: string): Promise<readonly string[]>
  /** What of the project there still is: containers, volumes, networks. */
  left(): Promise<string>
}

/** Milliseconds: building the images, fetching npm packages, waiting until all are healthy. */
const PATIENCE = 400_000

/** A stack under a project name and ports of its own, gone when the scope ends. */
export async function openProject(scope: Scope, { file, ports: names }: Stack): Promise<Project> {
  const ports = await Promise.all(names.map(findFreePort))
  const published = Object.fromEntries(names.map((variable, at) => [variable, String(ports[at])]))
  const name = `${testName}-${basename(file, '.yml').replaceAll('.', '-')}`
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  // Settings of whoever runs this, in the shell or in .env, are not meant for the test.
  const none = Object.fromEntries(settingNames.map((setting) => [setting, undefined]))
  const prefix = ['compose', '--file', file, '--env-file', '/dev/null', '--project-name', name]
  const options = (variables: Readonly<Record<string, string>> = {}) => ({
    cwd,
    env: { ...none, ...published, ...variables },
    patience: PATIENCE,
  })
  scope.after(async () => {
    await docker(
      [...prefix, 'down', '--volumes', '--rmi', 'local', '--remove-orphans', '--timeout', '5'],
      options(),
    )
  })
  const tryExec: Project['tryExec'] = (service, ...command) =>
    tryDocker([...prefix, 'exec', '-T', service, ...command], options())
  return {
    ports,
    compose: (parameters, variables) => docker([...prefix, ...parameters], options(variables)),
    tryExec,
    async linesAbout(viewer, service) {
      const { output } = await tryExec(service, 'cat', '/var/log/alta-auth/access.log')
      return output.split('\n').filter((line) => line.endsWith(`"${viewer}"`))
    },
    async inspect(service) {
      const [one] = JSON.parse(await docker(['inspect', `${name}-${service}-1`]))
      return one
    },
    async left() {
      const filter = ['--quiet', '--filter', `label=com.docker.compose.project=${name}`]
      const lists = [
        ['container', 'ls', '--all'],
        ['volume', 'ls'],
        ['network', 'ls'],
      ]
      return (await Promise.all(lists.map((list) => docker([...list, ...filter])))).join('')
    },
  }
}
