import { once } from 'node:events'
import { startChild } from './child.ts'
import type { Scope } from './scope.ts'

/**
 * A backend in a process of its own, which goes on while this process is stopped. `script` gets `server`, a
 * `net.Server` that does not listen yet. The result is its URL.
 */
export async function startBackendProcess(scope: Scope, script: string): Promise<string> {
  const whole = `const server = require('node:net').createServer()
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
${script}`
  const child = startChild(scope, process.execPath, ['-e', whole])
  if (child.process.stdout !== null) await once(child.process.stdout, 'data')
  return `http://127.0.0.1:${Number(child.output())}/auth`
}
