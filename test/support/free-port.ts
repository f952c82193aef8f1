import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** Ports handed out by this process: the kernel may give one again while nobody listens there yet. */
const given = new Set<number>()

/** A port that was free a moment ago, for programs that cannot be told "any". */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        if (given.has(port)) resolve(findFreePort())
        else resolve(port)
        given.add(port)
      })
    })
  })
}
