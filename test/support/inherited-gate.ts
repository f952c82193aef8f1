import { rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { mainFile, startMain } from './main-process.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export interface InheritedGate {
  readonly port: number
  /** The process of the gate that was started last; 0 while there is none. */
  pid(): number
  /** What all gates have logged. */
  log(): Readonly<Record<string, unknown>>[]
  /** While it is held, no gate is started when one ends. The result lets it go. */
  hold(): () => void
}

/** The socket is descriptor 3 and meant for the process that becomes node. */
const asSystemd = 'echo "pid $$"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'

/**
 * Starts a gate, and another one whenever one ends, on a socket that stays open, as systemd does. `within` is
 * a command that starts them all: the shell that does so is its last parameters.
 */
export async function startInheritedGate(
  scope: Scope,
  environment: Readonly<Record<string, string>>,
  within: readonly string[] = [],
): Promise<InheritedGate> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const { port } = server.address() as AddressInfo
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const held = join(makeTemporaryFolder(scope), 'held')
  const script = `while :; do while [ -e ${held} ]; do sleep 0.05; done; sh -c '${asSystemd}' sh "$@"; done`
  const [program, ...parameters] = [...within, 'sh', '-c', script, 'sh', process.execPath, mainFile]
  const main = startMain(
    scope,
    { ADMIN_LISTEN: 'off', LOG_LEVEL: 'warn', ...environment },
    { command: [program as string, ...parameters], inherit: fd },
  )
  server.close()
  return {
    port,
    pid: () => Number([...main.stdout().matchAll(/^pid (\d+)$/gm)].at(-1)?.[1] ?? 0),
    log: () =>
      main
        .stdout()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    hold() {
      writeFileSync(held, '')
      return () => rmSync(held)
    },
  }
}
