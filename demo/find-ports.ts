import { createServer } from 'node:net'

/** How many ports after the usual one are tried. */
const TRIES = 100

/** For each usual port itself when it is free, otherwise one of the next; all of them differ. */
export async function findPorts<Usual extends readonly number[]>(
  ...usual: Usual
): Promise<{ [Index in keyof Usual]: number }> {
  const found: number[] = []
  for (const first of usual) {
    let port = first
    while (port < first + TRIES && (found.includes(port) || !(await isFree(port)))) port++
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
