import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Scope } from './scope.ts'

/** Stands between a gate and its store, and can swallow everything, or be slow. */
export interface CutOff {
  readonly port: number
  /** From now on it accepts, and nothing passes: neither on old connections nor on new ones. */
  cut(): void
  /** What comes from now on passes again. Connections that have lost something end. */
  heal(): void
  /** From now on everything takes so many milliseconds longer, each way. */
  delay(milliseconds: number): void
}

/** @param to the port of the store on this machine */
export async function startCutOff(scope: Scope, to: number): Promise<CutOff> {
  const pairs = new Set<{ readonly sockets: readonly Socket[]; hasLost: boolean }>()
  let isCut = false
  let way = 0
  const server = createServer({ noDelay: true }, (socket) => {
    const upstream = connect({ port: to, host: '127.0.0.1', noDelay: true })
    const pair = { sockets: [socket, upstream], hasLost: isCut }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      for (const one of pair.sockets) one.destroy()
    }
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', end)
      one.on('close', end)
      one.on('data', (bytes) => {
        if (isCut) pair.hasLost = true
        else if (way === 0) other.write(bytes)
        else setTimeout(() => other.write(bytes), way)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(() => {
    for (const { sockets } of pairs) for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  return {
    port: (server.address() as AddressInfo).port,
    delay(milliseconds) {
      way = milliseconds
    },
    cut() {
      isCut = true
    },
    heal() {
      isCut = false
      for (const { sockets, hasLost } of pairs) if (hasLost) for (const socket of sockets) socket.destroy()
    },
  }
}
