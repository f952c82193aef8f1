import { spawn } from 'node:child_process'

/** The name of everything that the tests make. tools/with-docker.mjs removes by it what is left. */
export const testName = process.env['DOCKER_TEST_NAME'] ?? `alta-auth-test-${process.pid}`

export interface DockerRun {
  readonly code: number | null
  /** What it printed, both streams as they came. */
  readonly output: string
}

export interface DockerOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Standard input. */
  readonly input?: string
  /** Milliseconds until it is killed. */
  readonly patience?: number
}

/** Runs `docker` and resolves when it has ended, however it has. */
export function tryDocker(parameters: readonly string[], options: DockerOptions = {}): Promise<DockerRun> {
  const { env = {}, cwd, input = '', patience = 60_000 } = options
  return new Promise((resolve, reject) => {
    const child = spawn('docker', parameters, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      timeout: patience,
      killSignal: 'SIGKILL',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
    child.stdin.on('error', () => {}).end(input)
  })
}

/** The same for what must succeed; what it printed. @throws with all that it printed */
export async function docker(parameters: readonly string[], options: DockerOptions = {}): Promise<string> {
  const { code, output } = await tryDocker(parameters, options)
  if (code !== 0) throw new Error(`docker ${parameters.join(' ')} ended with ${code}:\n${output}`)
  return output
}
