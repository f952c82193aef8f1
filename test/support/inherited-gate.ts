import { type AddressInfo, createServer } from 'node:net'
import { mainFile, startMain } from './main-process.ts'
import type { Scope } from './scope.ts'

export interface InheritedGate {
  readonly port: number
  /** The process of the gate that was started last; 0 while there is none. */
  pid(): number
}

/** The socket is descriptor 3 and meant for the process that becomes node. */
const asSystemd = 'echo "pid $$"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'

/** Starts a gate, and another one whenever one ends, on a socket that stays open, as systemd does. */
export async function startInheritedGate(
  scope: Scope,
  environment: Readonly<Record<string, string>>,
): Promise<InheritedGate> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const { port } = server.address() as AddressInfo
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const script = `while :; do sh -c '${asSystemd}' sh "$@"; done`
  const main = startMain(
    scope,
    { ADMIN_LISTEN: 'off', LOG_LEVEL: 'warn', ...environment },
    { command: ['sh', '-c', script, 'sh', process.execPath, mainFile], inherit: fd },
  )
  server.close()
  return { port, pid: () => Number([...main.stdout().matchAll(/^pid (\d+)$/gm)].at(-1)?.[1] ?? 0) }
}
