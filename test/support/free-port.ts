import { createServer } from 'node:net'

/** Below what the kernel hands out by itself (32768 on), so that no server and no client of another test can be given it meanwhile. */
const FIRST = 12_000
const LAST = 32_000

/** A port that was free a moment ago, for programs that cannot be told "any". */
export function findFreePort(): Promise<number> {
  const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(findFreePort()))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
  })
}
