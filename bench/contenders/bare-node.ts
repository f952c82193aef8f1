import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../../test/support/scope.ts'
import type { Grounds } from '../grounds.ts'
import { startProcess } from '../start-process.ts'
import type { Contender, Running } from './contender.ts'
import { startShippedSite } from './shipped-site.ts'

/** A bare process in the gate's place, over a Unix socket behind the shipped snippets. */
async function startBare(
  scope: Scope,
  grounds: Grounds,
  program: string,
  ...parameters: readonly string[]
): Promise<Running> {
  const socket = join(grounds.folder, `${program}.sock`)
  const gate = await startProcess(scope, {
    name: program,
    folder: grounds.folder,
    command: process.execPath,
    parameters: [fileURLToPath(new URL(`${program}.mjs`, import.meta.url)), socket, ...parameters],
    listens: socket,
    signal: 'SIGKILL',
  })
  const site = await startShippedSite(scope, grounds, { name: `${program}-site`, gates: [socket] })
  return { port: site.port, nginx: site.pid, gates: [gate], errorLog: site.errorLog }
}

/** Shows which part of a hit's cost is Node's. */
export const bareNode: Contender = {
  letter: 'n',
  name: 'bare Node, Unix socket',
  what:
    'a bare `node:http` server over a Unix socket, with the shipped snippets; it reads the headers that the gate reads and always says yes: ' +
    'the limit of a hit in Node.',
  judges: false,
  works: ['hits'],
  start: (scope, grounds) => startBare(scope, grounds, 'bare-node'),
}

/** Shows which part of a miss's cost is Node's. */
export const bareAsker: Contender = {
  letter: 'm',
  name: 'bare Node that asks',
  what:
    'the same, which asks the backend about each request with the same five headers as alta-auth (undici `Pool.dispatch`), without memory, log or deadline: ' +
    'the limit of a miss in Node.',
  judges: true,
  works: ['misses'],
  start: (scope, grounds) =>
    startBare(scope, grounds, 'bare-asker', `http://127.0.0.1:${grounds.backend.port}`),
}
