import { once } from 'node:events'
import { startChild } from './child.ts'
import type { Scope } from './scope.ts'

/**
 * A backend in a process of its own, so that it goes on while this one cannot. `script` gets `server`, a `net.Server` that is not
 * listening yet; the result is its URL.
 */
export async function startBackendProcess(scope: Scope, script: string): Promise<string> {
  const whole = `const server = require('node:net').createServer()
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
${script}`
  const child = startChild(scope, process.execPath, ['-e', whole])
  if (child.process.stdout !== null) await once(child.process.stdout, 'data')
  return `http://127.0.0.1:${Number(child.output())}/auth`
}
