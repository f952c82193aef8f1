import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Scope } from './scope.ts'

/** What the proxy does with questions from now on. */
export type Behaviour =
  /** Passes the question on, and the answer back. */
  | { readonly kind: 'pass' }
  /** Does not listen any more. Open connections are closed. */
  | { readonly kind: 'refuse' }
  /** Does not answer. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'close' }
  | { readonly kind: 'reset' }
  /** Passes the answer back byte by byte, one byte each `every` milliseconds. */
  | { readonly kind: 'drip'; readonly every: number }
  /** Passes so many bytes of the answer back, then closes. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Passes the question on after so many milliseconds. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Sends these bytes (latin-1) as the answer, and leaves the connection open. */
  | { readonly kind: 'garbage'; readonly bytes: string }
  /**
   * Passes the answer back. `after` milliseconds later, while the connection is idle, it sends a second
   * answer without a question.
   */
  | { readonly kind: 'swap'; readonly stray: string; readonly after: number }
  /** Answers by itself, in any way. */
  | { readonly kind: 'answer'; readonly speak: (socket: Socket) => void }

export interface FaultProxy {
  readonly url: string
  /** `host:port` or `unix:/path`, as nginx writes it. */
  readonly address: string
  readonly host: string
  readonly port: number
  /** Takes effect with the next question; `refuse` at once. */
  behave(behaviour: Behaviour): Promise<void>
  /** Cuts every open connection, as a restarted backend does. */
  cut(): void
  /** Connections open now. */
  open(): number
  /** Connections that were opened so far. */
  connections(): number
  /** Questions that came in so far. */
  questions(): number
}

/** A host of its own: no other socket of this machine takes its port while the proxy does not listen. */
const HOST = '127.88.0.1'

/**
 * Stands between the gate and a healthy backend, or between nginx and a healthy gate, and fails as it is told
 * by `behave`. It listens on TCP, or on a Unix socket.
 */
export async function startFaultProxy(
  scope: Scope,
  backendPort: number,
  socketPath?: string,
): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let behaviour: Behaviour = { kind: 'pass' }
  let connections = 0
  let questions = 0

  const accept = (socket: Socket): void => {
    connections++
    sockets.add(socket)
    let upstream: Socket | undefined
    let current: Behaviour = behaviour
    let left = 0
    let idle: NodeJS.Timeout | undefined
    const timers = new Set<NodeJS.Timeout>()
    const later = (act: () => void, milliseconds: number): NodeJS.Timeout => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        act()
      }, milliseconds)
      timers.add(timer)
      return timer
    }
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      upstream?.destroy()
      for (const timer of timers) clearTimeout(timer)
    })

    const giveBack = (bytes: Buffer): void => {
      if (current.kind === 'truncate') {
        if (left <= 0) return
        socket.write(bytes.subarray(0, left))
        left -= bytes.length
        if (left <= 0) socket.end()
      } else if (current.kind === 'drip') {
        const { every } = current
        for (const [at, byte] of bytes.entries()) later(() => socket.write(Buffer.of(byte)), at * every)
      } else {
        socket.write(bytes)
        if (current.kind !== 'swap') return
        const { stray, after } = current
        clearTimeout(idle)
        idle = later(() => socket.write(stray, 'latin1'), after)
      }
    }
    const handOn = (head: string): void => {
      if (upstream === undefined) {
        upstream = connect(backendPort, '127.0.0.1')
        upstream.on('data', giveBack)
        upstream.on('error', () => socket.destroy())
        upstream.on('close', () => socket.end())
      }
      upstream.write(head, 'latin1')
    }
    const meet = (head: string): void => {
      questions++
      current = behaviour
      switch (current.kind) {
        case 'truncate':
          left = current.bytes
          handOn(head)
          return
        case 'pass':
        case 'drip':
        case 'swap':
          clearTimeout(idle)
          handOn(head)
          return
        case 'delay':
          later(() => handOn(head), current.milliseconds)
          return
        case 'garbage':
          socket.write(current.bytes, 'latin1')
          return
        case 'answer':
          current.speak(socket)
          return
        case 'close':
          socket.end()
          return
        case 'reset':
          // A Unix socket has no RST.
          if (socketPath === undefined) socket.resetAndDestroy()
          else socket.destroy()
          return
        case 'refuse':
        case 'hang':
          return
      }
    }
    let head = ''
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      const whole = head
      head = ''
      meet(whole)
    })
  }

  const open = (port: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      // Otherwise the kernel may delay a stray answer until the connection is no longer idle.
      const server = createServer({ noDelay: true }, accept)
      server.once('error', reject)
      server.listen(socketPath === undefined ? { port, host: HOST } : { path: socketPath }, () =>
        resolve(server),
      )
    })
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }

  let server: Server | undefined = await open(0)
  const bound = server.address() as AddressInfo | string
  const port = typeof bound === 'string' ? 0 : bound.port
  const shut = async (): Promise<void> => {
    const closing = server
    server = undefined
    cut()
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve))
  }
  scope.after(shut)
  return {
    url: `http://${HOST}:${port}/auth`,
    address: socketPath === undefined ? `${HOST}:${port}` : `unix:${socketPath}`,
    host: HOST,
    port,
    async behave(next) {
      behaviour = next
      if (next.kind === 'refuse') await shut()
      else server ??= await open(port)
    },
    cut,
    open: () => sockets.size,
    connections: () => connections,
    questions: () => questions,
  }
}
