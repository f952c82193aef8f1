import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../start-process.ts'
import { startSite } from '../start-site.ts'
import { authHop } from './auth-hop.ts'
import type { Contender } from './contender.ts'

const program = fileURLToPath(new URL('bare-node.mjs', import.meta.url))

/** Shows which part of a hop's cost is Node's. */
export const bareNode: Contender = {
  letter: 'n',
  name: 'bare Node, Unix socket',
  what: 'auth_request over Unix socket to a bare `node:http` server that always says yes: the limit of a gate in Node.',
  judges: false,
  works: ['hits'],
  async start(scope, grounds) {
    const socket = join(grounds.folder, 'bare-node.sock')
    const gate = await startProcess(scope, {
      name: 'bare-node',
      folder: grounds.folder,
      command: process.execPath,
      parameters: [program, socket],
      env: { NODE_ENV: 'production' },
      listens: socket,
      signal: 'SIGKILL',
    })
    const site = await startSite(scope, grounds, { name: 'bare-node-site', ...authHop(`unix:${socket}`) })
    return { port: site.port, nginx: site.pid, gate, errorLog: site.errorLog }
  },
}
