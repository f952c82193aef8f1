import { write } from 'node:fs'
import { constants } from 'node:os'
import { Writable } from 'node:stream'

/** Milliseconds until a full pipe or a full disk is tried again. */
const RETRY_AFTER = 50
/** What passes: a pipe that is full, a disk, a quota, a file that is as long as it may be. By number: libuv has no name for EDQUOT. */
const { EAGAIN, ENOSPC, EDQUOT, EFBIG } = constants.errno
const PASSING = new Set([EAGAIN, ENOSPC, EDQUOT, EFBIG])

/**
 * Writes to a descriptor and waits for its reader, or for room on the disk, without holding up this process. `process.stdout` blocks it while
 * nobody reads; a file stream takes the `EAGAIN` of a full pipe that some library has made non-blocking, or the one moment without room, for
 * the end, and is silent for good.
 */
export function createLogOutput(fd: number): Writable {
  const writeAll = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    write(fd, bytes, (error, written) => {
      if (PASSING.has(-(error?.errno ?? 0))) setTimeout(writeAll, RETRY_AFTER, bytes, done)
      else if (error !== null) done(error)
      else if (written < bytes.length) writeAll(bytes.subarray(written), done)
      else done()
    })
  }
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => writeAll(chunk, done),
    writev: (chunks, done) => writeAll(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done),
  })
}
