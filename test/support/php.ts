import { accepts } from './accepts.ts'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

export interface Php {
  readonly url: string
  readonly port: number
  readonly child: Child
}

/** `php -S` with one script that answers everything. */
export async function startPhp(scope: Scope, script: string): Promise<Php> {
  const port = await findFreePort()
  const child = startChild(scope, 'php', ['-S', `127.0.0.1:${port}`, script])
  await until('php to listen', () => accepts(port))
  return { url: `http://127.0.0.1:${port}`, port, child }
}
