import { join } from 'node:path'
import { findFreePort } from '../../test/support/free-port.ts'
import { startNginx } from '../start-nginx.ts'
import { startSite } from '../start-site.ts'
import { authHop } from './auth-hop.ts'
import type { Contender } from './contender.ts'

/** The least cost of a hop to another process: the other end is an nginx that always allows. */
function createHop(letter: string, over: 'tcp' | 'unix'): Contender {
  const words = over === 'unix' ? 'Unix socket' : 'TCP'
  return {
    letter,
    name: `hop, ${words}`,
    what: `auth_request over ${words} to a second nginx (one worker) that answers \`return 204\`: the limit of a hop.`,
    judges: false,
    works: ['hits'],
    async start(scope, grounds) {
      const listens = over === 'unix' ? join(grounds.folder, 'hop.sock') : await findFreePort()
      const address = typeof listens === 'string' ? `unix:${listens}` : `127.0.0.1:${listens}`
      const gate = await startNginx(scope, {
        name: `hop-${over}-gate`,
        folder: grounds.folder,
        listens,
        http: `server { listen ${address} backlog=4096; location / { return 204; } }`,
      })
      const site = await startSite(scope, grounds, { name: `hop-${over}`, ...authHop(address) })
      return { port: site.port, nginx: site.pid, gates: [gate.pid], errorLog: site.errorLog }
    },
  }
}

/** The hop over a Unix socket. */
export const hop = createHop('b', 'unix')
/** The hop over TCP. */
export const hopOverTcp = createHop('t', 'tcp')
