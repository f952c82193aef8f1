import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { ValkeyAddress } from '../../../src/state/valkey/valkey-settings.ts'
import type { Scope } from '../../support/scope.ts'

/** A command as it came; its name in small letters. */
export interface AskedCommand {
  readonly name: string
  readonly parameters: readonly string[]
}

/** What it writes in the place of a reply; undefined: as Valkey would. Empty: nothing at all. */
export type Odd = (command: AskedCommand) => string | Buffer | undefined

export interface OddValkey {
  readonly address: ValkeyAddress & { readonly kind: 'tcp' }
  /** From now on it answers so. */
  answer(odd: Odd): void
}

/** Speaks as Valkey does, keeps nothing, and answers oddly where it is told to. It ends with the scope. */
export async function startOddValkey(scope: Scope): Promise<OddValkey> {
  let odd: Odd = () => undefined
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let rest = ''
    socket.on('data', (data) => {
      rest += data.toString('latin1')
      for (;;) {
        const read = readCommand(rest)
        if (read === undefined) return
        rest = rest.slice(read.length)
        socket.write(odd(read.command) ?? honest(read.command, server.address()))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return {
    address: { kind: 'tcp', host: '127.0.0.1', port },
    answer(next) {
      odd = next
    },
  }
}

function readCommand(text: string): { command: AskedCommand; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (head === null) return undefined
  const words: string[] = []
  let at = head[0].length
  while (words.length < Number(head[1])) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 16))
    if (size === null) return undefined
    const from = at + size[0].length
    at = from + Number(size[1]) + 2
    if (text.length < at) return undefined
    words.push(text.slice(from, at - 2))
  }
  const [name = '', ...parameters] = words
  return { command: { name: name.toLowerCase(), parameters }, length: at }
}

/** The number that a script is called with, which its reply begins with; undefined for other commands. */
export function numberOf({ name, parameters }: AskedCommand): string | undefined {
  if (!name.startsWith('eval')) return undefined
  return parameters[2 + Number(parameters[1])]
}

/** As an empty Valkey would: a heartbeat and the trial of rights succeed. */
function honest(command: AskedCommand, at: unknown): string {
  const { port } = at as { port: number }
  const number = numberOf(command)
  if (number !== undefined) {
    const isBeat = command.parameters.some((one) => one.includes('{all}inbox:'))
    return isBeat ? `*6\r\n:${number}\r\n:0\r\n:1\r\n:0\r\n$0\r\n\r\n:0\r\n` : `*1\r\n:${number}\r\n`
  }
  const address = `*2\r\n$9\r\n127.0.0.1\r\n`
  if (command.name === 'cluster') return `*1\r\n*3\r\n:0\r\n:16383\r\n${address}:${port}\r\n`
  if (command.name === 'sentinel') return `${address}$${String(port).length}\r\n${port}\r\n`
  return ['auth', 'select', 'asking', 'client'].includes(command.name) ? '+OK\r\n' : '$-1\r\n'
}
