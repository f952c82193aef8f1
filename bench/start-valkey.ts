import { join } from 'node:path'
import { createClient } from '../src/state/valkey/client.ts'
import { startTimer } from '../src/timer.ts'
import type { Scope } from '../test/support/scope.ts'
import { startProcess } from './start-process.ts'

/** A Valkey of the bench. */
export interface Valkey {
  /** The path of its Unix socket. */
  readonly socket: string
  readonly pid: number
  /** A figure of INFO, such as `used_memory`. @throws when there is none of this name */
  figure(name: string): Promise<number>
  /** CPU time that it has used so far, more exact than the kernel's ticks. */
  cpuSeconds(): Promise<number>
}

/** Starts an empty Valkey as systemd/alta-auth-valkey.service does. */
export async function startValkey(scope: Scope, folder: string): Promise<Valkey> {
  const socket = join(folder, 'valkey.sock')
  const pid = await startProcess(scope, {
    name: 'valkey',
    folder,
    command: 'valkey-server',
    parameters: [
      ...['--port', '0', '--unixsocket', socket, '--dir', folder],
      ...['--maxmemory-policy', 'noeviction', '--save', '', '--appendonly', 'no'],
    ],
    listens: socket,
    signal: 'SIGKILL',
  })
  return {
    socket,
    pid,
    figure: async (name) => read(await askInfo(socket), name),
    async cpuSeconds() {
      const info = await askInfo(socket)
      return read(info, 'used_cpu_user') + read(info, 'used_cpu_sys')
    },
  }
}

function read(info: string, name: string): number {
  const found = new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)
  if (found === null) throw new Error(`INFO of Valkey has no ${name}`)
  return Number(found[1])
}

async function askInfo(path: string): Promise<string> {
  const client = createClient({
    settings: {
      ...{ mode: { kind: 'single' }, nodes: [{ kind: 'unix', path }], tls: false, database: 0 },
      ...{ prefix: '', secrets: [], timeout: 60_000 },
    },
    startTimer,
  })
  try {
    await client.open()
    while (!client.isConnected()) await new Promise((resolve) => setTimeout(resolve, 5))
    return await client.call(60_000, 'info', ['everything'], String)
  } finally {
    client.close()
  }
}
