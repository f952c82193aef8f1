import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answersHttp } from './answers-http.ts'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export interface BackendNginx {
  readonly url: string
  readonly port: number
  readonly nginx: Child
}

/** An nginx of the middleware's own. These lines of `location /` pass requests on to its script. */
export async function startBackendNginx(scope: Scope, lines: string): Promise<BackendNginx> {
  const folder = makeTemporaryFolder(scope)
  const port = await findFreePort()
  mkdirSync(join(folder, 'temp'))
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http {
  client_body_temp_path ${folder}/temp; proxy_temp_path ${folder}/temp; fastcgi_temp_path ${folder}/temp;
  uwsgi_temp_path ${folder}/temp; scgi_temp_path ${folder}/temp;
  access_log off;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    large_client_header_buffers 4 32k;
    location / {
      ${lines}
    }
  }
}
`,
  )
  const binary = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
  const nginx = startChild(scope, binary, ['-p', folder, '-c', join(folder, 'nginx.conf')])
  await answersHttp('the nginx of the backend', nginx, port)
  return { url: `http://127.0.0.1:${port}`, port, nginx }
}
