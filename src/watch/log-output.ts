import { write } from 'node:fs'
import { Writable } from 'node:stream'

/** Milliseconds until a full pipe is tried again. */
const RETRY_AFTER = 50

/**
 * Writes to a descriptor and waits for its reader without holding up this process. `process.stdout` blocks it while nobody reads; a file
 * stream takes the `EAGAIN` of a full pipe that some library has made non-blocking for a failure, and is silent for good.
 */
export function createLogOutput(fd: number): Writable {
  const writeAll = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    write(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(writeAll, RETRY_AFTER, bytes, done)
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
