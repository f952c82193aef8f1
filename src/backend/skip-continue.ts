import type { Socket } from 'node:net'

const CONTINUE = Buffer.from('HTTP/1.1 100', 'latin1')
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1')
const MAX_HEAD = 16_384

/**
 * Drops `100 Continue` heads in front of an answer, so that the final answer counts. RFC 9110 section 15.2 asks clients to accept them
 * unasked; undici destroys the connection instead. Must be called before undici gets the socket: listeners run in order.
 */
export function skipContinue(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0)
  // bytesWritten grows with each request: until the start of its answer has been seen, that start is looked at here first.
  let answered = socket.bytesWritten

  socket.on('readable', () => {
    if (answered === socket.bytesWritten && held.length === 0) return
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])

    while (startsWithContinue(held) === true) {
      const end = held.indexOf(END_OF_HEAD)
      if (end === -1) {
        if (held.length > MAX_HEAD) socket.destroy()
        return
      }
      held = held.subarray(end + END_OF_HEAD.length)
    }
    if (held.length === 0 || startsWithContinue(held) === 'undecided') return
    const rest = held
    held = Buffer.alloc(0)
    answered = socket.bytesWritten
    socket.unshift(rest)
  })
}

function startsWithContinue(bytes: Buffer): boolean | 'undecided' {
  const length = Math.min(bytes.length, CONTINUE.length)
  if (bytes.compare(CONTINUE, 0, length, 0, length) !== 0) return false
  return length === CONTINUE.length || 'undecided'
}
