import { createServer } from 'node:net'

/** How many ports after the usual one are tried. */
const TRIES = 100

/** The usual port when it is free, otherwise one of the next. */
export async function findPort(usual: number): Promise<number> {
  for (let port = usual; port < usual + TRIES; port++) if (await isFree(port)) return port
  return usual
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
