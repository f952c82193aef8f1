import { fileURLToPath } from 'node:url'
import { findFreePort } from '../../test/support/free-port.ts'
import { startProcess } from '../start-process.ts'
import { startSite } from '../start-site.ts'
import { authHop } from './auth-hop.ts'
import type { Contender } from './contender.ts'

const program = fileURLToPath(new URL('./plain-express-app.mjs', import.meta.url))

/** A small gate written with Express. */
export const plainExpress: Contender = {
  letter: 'f',
  name: 'plain Express',
  what:
    'auth_request over TCP to an Express app with axios and lru-cache as most people would write it (`express()`, `app.get`, `sendStatus`), ' +
    'under the same key.',
  judges: true,
  works: ['hits', 'mixed', 'denies', 'misses'],
  async start(scope, grounds) {
    const port = await findFreePort()
    const gate = await startProcess(scope, {
      name: 'plain-express-app',
      folder: grounds.folder,
      command: process.execPath,
      parameters: [program, String(port), `http://127.0.0.1:${grounds.backend.port}/auth`],
      listens: port,
      signal: 'SIGKILL',
    })
    const site = await startSite(scope, grounds, { name: 'plain-express', ...authHop(`127.0.0.1:${port}`) })
    return { port: site.port, nginx: site.pid, gates: [gate], errorLog: site.errorLog }
  },
}
