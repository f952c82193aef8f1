import { createServer } from 'node:net'

/**
 * Below the ports that the kernel gives out by itself (from 32768 on). So no server and no client of another
 * test can get the port meanwhile.
 */
const FIRST = 12_000
const LAST = 32_000

/** A gate that restarts leaves its port free for a moment: nobody else of this process gets that one. */
const given = new Set<number>()

/** A port that was free a moment ago, for programs that need to be given one. */
export function findFreePort(): Promise<number> {
  const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
  if (given.has(port)) return findFreePort()
  given.add(port)
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(findFreePort()))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
  })
}
