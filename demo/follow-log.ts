import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** How often the file is looked at, in milliseconds. Looking works on every file system; being told does not. */
const PERIOD = 100
/** Bytes that are read at a time; of more, the newest are read and the rest is left out. */
const MOST = 65_536

/**
 * Calls `onLine` with every line that is added to the file from now on. The file may be missing yet, be cut off or be replaced by
 * a new one. Returns how to end it.
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
      // Gone again, or not readable at this moment: the next look tells.
    }
  }, PERIOD)
  return () => clearInterval(timer)
}
