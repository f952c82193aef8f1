import { connect, createServer, type Socket } from 'node:net'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'

/** What a player connects to in nginx's place. nginx sees the players behind it at the address that it tells. */
export interface MovingRelay {
  readonly port: number
  /**
   * From now on. Open connections break, as they do when a phone leaves the Wi-Fi, but not amid an answer:
   * what a player makes of half a segment is not the question here.
   */
  moveTo(address: string): void
}

/** Ports of nginx that only relays connect to. */
export interface RelayPorts {
  readonly plain: number
  readonly tls: number
}

/** The address that nginx is told, by the first bytes that the player sends. */
export type Told = (head: string) => string

/** What a server of nginx needs, to be told the addresses of players by the PROXY protocol. */
export async function prepareRelays(): Promise<RelayPorts & { readonly server: string }> {
  const [plain, tls] = [await findFreePort(), await findFreePort()]
  return {
    plain,
    tls,
    server: `
      listen 127.0.0.1:${plain} proxy_protocol;
      listen 127.0.0.1:${tls} ssl proxy_protocol;
      set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;`,
  }
}

/** An answer that is silent for so long is over; milliseconds. */
const SILENT = 100
/** The same when the player has spoken last: it waits for an answer, or it has said what needs none. */
const LONG_SILENT = 2_000

/** Starts a relay to one of these ports of nginx. */
export async function startMovingRelay(scope: Scope, to: number, first: string | Told): Promise<MovingRelay> {
  const port = await findFreePort()
  let told: Told = typeof first === 'string' ? () => first : first
  /** The connections to nginx, and until when they may be amid an answer. */
  const open = new Map<Socket, number>()
  const cut = (sockets: Iterable<Socket>): void => {
    for (const socket of sockets) socket.destroy()
  }
  const leave = (old: readonly Socket[]): void => {
    const left = old.filter((socket) => open.has(socket))
    const isSilent = (socket: Socket): boolean => performance.now() > (open.get(socket) ?? 0)
    cut(left.filter(isSilent))
    if (left.length > 0) setTimeout(() => leave(left), SILENT / 4).unref()
  }
  const server = createServer((player) => {
    const nginx = connect(to, '127.0.0.1')
    for (const socket of [player, nginx]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      const silence = socket === nginx ? SILENT : LONG_SILENT
      socket.on('data', () => void open.set(nginx, performance.now() + silence))
      socket.on('close', () => {
        open.delete(nginx)
        cut([player, nginx])
      })
    }
    player.once('data', (head) => {
      const address = told(head.toString('latin1'))
      const [family, here] = address.includes(':') ? ['TCP6', '::1'] : ['TCP4', '127.0.0.1']
      nginx.write(`PROXY ${family} ${address} ${here} 50000 ${port}\r\n`)
      nginx.write(head)
      player.pipe(nginx)
      nginx.pipe(player)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  scope.after(async () => {
    cut(open.keys())
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    port,
    moveTo(address) {
      told = () => address
      leave([...open.keys()])
    },
  }
}
