import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Behaviour, FaultProxy } from './fault-proxy.ts'

/** A fault of a connection that is switched on while the gate runs. */
export interface ConnectionFault {
  readonly what: string
  /** Switches the fault on. Call the result to end what goes on by itself. */
  readonly begin: (proxy: FaultProxy) => Promise<() => void | Promise<void>>
}

/** BACKEND_TIMEOUT of the gates that meet these faults; milliseconds. */
export const DEADLINE = 600

const NOTHING = (): void => {}

const behaving =
  (behaviour: Behaviour): ConnectionFault['begin'] =>
  async (proxy) => {
    await proxy.behave(behaviour)
    return NOTHING
  }

/** A program that listens, never accepts, and has a queue for one. */
const NEVER_ACCEPTS = `require('node:net').createServer().listen({ port: +process.argv[1], host: process.argv[2], backlog: 1 }, () => {
  process.stdout.write('listening')
  process.kill(process.pid, 'SIGSTOP')
})`

/** Only a frozen program with a full queue listens there: a SYN gets no answer. */
async function blackHole(proxy: FaultProxy): Promise<() => Promise<void>> {
  await proxy.behave({ kind: 'refuse' })
  const { host, port } = proxy
  const frozen = spawn(process.execPath, ['-e', NEVER_ACCEPTS, String(port), host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(frozen.stdout, 'data')
  const fillers = [1, 2, 3].map(() => connect(port, host).on('error', NOTHING))
  await once(fillers[0] as Socket, 'connect')
  return async () => {
    if (frozen.killed) return
    for (const filler of fillers) filler.destroy()
    const exited = once(frozen, 'exit')
    frozen.kill('SIGKILL')
    await exited
  }
}

/**
 * Each way in which a connection may fail for a while. Odd answers are in test/client/answers.test.ts and
 * test/backend/unavailable.test.ts.
 */
export const connectionFaults: readonly ConnectionFault[] = [
  { what: 'refuses connections', begin: behaving({ kind: 'refuse' }) },
  { what: 'does not even answer a SYN', begin: blackHole },
  { what: 'is silent on open connections', begin: behaving({ kind: 'hang' }) },
  { what: 'closes without a byte', begin: behaving({ kind: 'close' }) },
  { what: 'resets', begin: behaving({ kind: 'reset' }) },
  { what: 'closes within the headers', begin: behaving({ kind: 'truncate', bytes: 30 }) },
  { what: 'drips its headers', begin: behaving({ kind: 'drip', every: 50 }) },
  { what: 'speaks SSH', begin: behaving({ kind: 'garbage', bytes: 'SSH-2.0-OpenSSH_9.2p1\r\n' }) },
  {
    what: 'becomes slower than the deadline',
    begin: behaving({ kind: 'delay', milliseconds: 2.3 * DEADLINE }),
  },
]
