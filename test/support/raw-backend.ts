import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Scope } from './scope.ts'

export interface RawBackend {
  readonly url: string
  readonly port: number
  /** Connections that were opened so far. */
  connections(): number
}

/** A peer that sends bytes, not HTTP. `answer` is called when the head of a request has come in. */
export async function startRawBackend(
  scope: Scope,
  answer: (socket: Socket, head: string) => void,
  onConnect: (socket: Socket) => void = () => {},
): Promise<RawBackend> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    onConnect(socket)
    let head = ''
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      const whole = head
      head = ''
      answer(socket, whole)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, connections: () => connections }
}
