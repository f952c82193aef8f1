import { answersHttp } from './answers-http.ts'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { goodTokens, writeWsgiApp } from './wsgi-app.ts'

export interface Uwsgi {
  readonly url: string
  readonly port: number
  readonly child: Child
}

/**
 * The real uWSGI with its defaults, except for four processes. Its buffer of 4,096 bytes must hold the
 * request line, the query once more, and all headers. When these do not fit, it closes or resets the
 * connection. When only the query does not fit, it passes on an empty one.
 */
export async function startUwsgi(scope: Scope, script = goodTokens): Promise<Uwsgi> {
  const file = writeWsgiApp(makeTemporaryFolder(scope), script)
  const port = await findFreePort()
  const child = startChild(scope, 'uwsgi', [
    '--http-socket',
    `127.0.0.1:${port}`,
    '--plugin',
    'python3',
    '--wsgi-file',
    file,
    '--need-app',
    '--master',
    '--processes',
    '4',
    // SIGTERM would restart it.
    '--die-on-term',
  ])
  await answersHttp('uwsgi', child, port)
  return { url: `http://127.0.0.1:${port}`, port, child }
}
