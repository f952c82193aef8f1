import { createServer } from 'node:net'

/** How many ports above the usual one are tried. */
const TRIES = 100

/**
 * Finds a free port for each usual port: the port itself, or one of the next. All of them differ.
 * @throws when none of the tried ports is free
 */
export async function findPorts<Usual extends readonly number[]>(
  ...usual: Usual
): Promise<{ [Index in keyof Usual]: number }> {
  const found: number[] = []
  for (const first of usual) {
    const last = Math.min(first + TRIES, 65_536) - 1
    let port = first
    while (port <= last && (found.includes(port) || !(await isFree(port)))) port++
    if (port > last)
      throw new Error(`no port from ${first} to ${last} is free: set DEMO_PORT to another one.`)
    found.push(port)
  }
  return found as { [Index in keyof Usual]: number }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
