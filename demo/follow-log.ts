import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** Milliseconds between two looks at the file. Looking works on every file system; notification does not. */
const PERIOD = 100
/** The most bytes read at a time. When there are more, only the newest are read. */
const MOST = 65_536

/**
 * Calls `onLine` with every line that is added to the file from now on. The file may be missing at first, may
 * be truncated, and may be replaced by a new one. Returns a function that ends it.
 */
export function followLog(file: string, onLine: (line: string) => void): () => void {
  let known = statSync(file, { throwIfNoEntry: false })?.ino
  let at = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  let rest = ''

  const look = (): void => {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return
    const opened = openSync(file, 'r')
    try {
      const { ino, size } = fstatSync(opened)
      if (ino !== known || size < at) {
        known = ino
        at = 0
        rest = ''
      }
      if (size - at > MOST) {
        at = size - MOST
        rest = ''
      }
      const bytes = Buffer.alloc(size - at)
      const count = readSync(opened, bytes, 0, bytes.length, at)
      at += count
      const lines = (rest + bytes.toString('latin1', 0, count)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    } finally {
      closeSync(opened)
    }
  }

  const timer = setInterval(() => {
    try {
      look()
    } catch {
      // The file is gone or cannot be read at this moment. The next look tries again.
    }
  }, PERIOD)
  return () => clearInterval(timer)
}
