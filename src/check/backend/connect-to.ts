import { connect, type NetConnectOpts } from 'node:net'

/** The result of one connection. `code` is the error code of the system. */
export type Connected =
  | { readonly kind: 'connected'; readonly ms: number }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'silent' }

/** Connects and closes at once. @param limit milliseconds */
export function connectTo(where: NetConnectOpts, limit: number, clock: () => number): Promise<Connected> {
  return new Promise((resolve) => {
    const began = clock()
    const socket = connect(where)
    const settle = (connected: Connected): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(connected)
    }
    const timer = setTimeout(() => settle({ kind: 'silent' }), limit)
    socket.once('connect', () => settle({ kind: 'connected', ms: clock() - began }))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle({ kind: 'refused', code: error.code ?? error.message }),
    )
  })
}
