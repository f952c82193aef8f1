import { createServer } from 'node:net'

/**
 * Below the ports that the kernel gives out by itself (from 32768 on). So no server and no client of another
 * test can get the port meanwhile.
 */
const FIRST = 12_000
const LAST = 32_000

/** A port that was free a moment ago, for programs that need to be given one. */
export function findFreePort(): Promise<number> {
  const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(findFreePort()))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
  })
}
