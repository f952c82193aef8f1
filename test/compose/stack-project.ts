import { fileURLToPath } from 'node:url'
import { settingNames } from '../../src/config/settings-table.ts'
import { findFreePort } from '../support/free-port.ts'
import type { Scope } from '../support/scope.ts'
import { docker, testName, tryDocker } from './docker.ts'

export const services = ['backend', 'demo', 'gate', 'nginx'] as const
export type Service = (typeof services)[number]

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
  readonly port: number
  /** `docker compose …`, with these variables set; what it printed. */
  compose(parameters: readonly string[], variables?: Readonly<Record<string, string>>): Promise<string>
  /** The same for a program in a container, which may fail. */
  tryExec(service: Service, ...command: readonly string[]): ReturnType<typeof tryDocker>
  inspect(service: Service): Promise<Inspected>
  /** What of the project there still is: containers, volumes, networks. */
  left(): Promise<string>
}

/** Milliseconds: building the images, fetching npm packages, waiting until all are healthy. */
const PATIENCE = 400_000

/** docker-compose.yml under a project name and a port of its own, gone when the scope ends. */
export async function openProject(scope: Scope): Promise<Project> {
  const port = await findFreePort()
  const name = testName
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  // Settings of whoever runs this, in the shell or in .env, are not meant for the test.
  const none = Object.fromEntries(settingNames.map((setting) => [setting, undefined]))
  const prefix = ['compose', '--env-file', '/dev/null', '--project-name', name]
  const options = (variables: Readonly<Record<string, string>> = {}) => ({
    cwd,
    env: { ...none, PORT: String(port), ...variables },
    patience: PATIENCE,
  })
  scope.after(async () => {
    await docker(
      [...prefix, 'down', '--volumes', '--rmi', 'local', '--remove-orphans', '--timeout', '5'],
      options(),
    )
  })
  return {
    port,
    compose: (parameters, variables) => docker([...prefix, ...parameters], options(variables)),
    tryExec: (service, ...command) => tryDocker([...prefix, 'exec', '-T', service, ...command], options()),
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
