import { connect } from 'node:net'

/** Milliseconds after which a connection that is still open counts as hung. */
const PATIENCE = 5_000

/** What nginx sends in place of every file. So it shows when a viewer was let in, whatever the path. */
const FILE = 'GIF89a'

export interface Received {
  /** Everything that came back, latin-1. */
  readonly text: string
  /** The status of each answer on the connection; HTTP/0.9 has none. */
  readonly statuses: readonly number[]
  /** The file came, or an answer that nginx gives only after an allow. */
  readonly isLetIn: boolean
  readonly isHung: boolean
}

/**
 * Sends bytes on a connection of its own. Closes this side at the first answer, or after `silence`
 * milliseconds without one: half a request ends then. Never rejects.
 */
export function sendBytes(
  to: { readonly port: number; readonly from?: string; readonly silence?: number },
  bytes: Buffer | string,
): Promise<Received> {
  return new Promise((resolve) => {
    let text = ''
    let isHung = false
    const localAddress = to.from === undefined ? {} : { localAddress: to.from }
    const socket = connect({ port: to.port, host: '127.0.0.1', ...localAddress })
    const hung = setTimeout(() => {
      isHung = true
      socket.destroy()
    }, PATIENCE)
    let quiet = setTimeout(() => socket.end(), to.silence ?? 3_000)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      clearTimeout(quiet)
      quiet = setTimeout(() => socket.end(), 10)
    })
    // The connection was reset while the client was still sending: what arrived before counts.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(hung)
      clearTimeout(quiet)
      const statuses = Array.from(text.matchAll(/HTTP\/1\.[01] (\d{3})/g), ([, status]) => Number(status))
      const isLetIn = text.includes(FILE) || statuses.some((status) => [200, 206, 304, 404].includes(status))
      resolve({ text, statuses, isLetIn, isHung })
    })
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}
