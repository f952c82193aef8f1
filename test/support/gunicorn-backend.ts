import { answersHttp } from './answers-http.ts'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { goodTokens, writeWsgiApp } from './wsgi-app.ts'

export interface Gunicorn {
  readonly url: string
  readonly port: number
  readonly child: Child
}

/** The real gunicorn with everything at its default but four workers. */
export async function startGunicorn(scope: Scope, script = goodTokens): Promise<Gunicorn> {
  const folder = makeTemporaryFolder(scope)
  writeWsgiApp(folder, script)
  const port = await findFreePort()
  const parameters = ['--bind', `127.0.0.1:${port}`, '--workers', '4', '--chdir', folder, 'app:application']
  const child = startChild(scope, 'gunicorn', parameters, { cwd: folder })
  await answersHttp('gunicorn', child, port)
  return { url: `http://127.0.0.1:${port}`, port, child }
}
