import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scope } from '../test/support/scope.ts'
import { startProcess } from './start-process.ts'

/** Where Debian puts dynamic modules. */
export const MODULES = '/usr/lib/nginx/modules'

/** The program. */
export const nginxProgram = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'

/**
 * As Debian and nginx.org package it. On two cores it is two workers, which share the cores with the
 * generator and the gate.
 */
const WORKERS = 'auto'

/** What the nginx of a contender needs. */
export interface NginxOptions {
  readonly name: string
  readonly folder: string
  /** Files of dynamic modules, without the `.so`. */
  readonly modules?: readonly string[]
  /** The lines at http level, besides those that are the same for all. */
  readonly http: string
  readonly listens: number | string
  /** Of each worker; 4,096 unless given. */
  readonly connections?: number
}

/** An nginx that runs. */
export interface Nginx {
  /** The id of the master. The workers are its children. */
  readonly pid: number
  errorLog(): string
}

/** Starts an nginx with the base configuration of all contenders. */
export async function startNginx(scope: Scope, options: NginxOptions): Promise<Nginx> {
  const folder = join(options.folder, options.name)
  mkdirSync(folder, { recursive: true })
  const loads = (options.modules ?? []).map((module) => `load_module ${MODULES}/${module}.so;`)
  const configuration = `
${loads.join('\n')}
daemon off;
worker_processes ${WORKERS};
pcre_jit on;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log error;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections ${options.connections ?? 4096}; }
http {
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  # The generator is many viewers on one machine: it says who each is.
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Forwarded-For;
${options.http}
}
`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration)
  const pid = await startProcess(scope, {
    name: options.name,
    folder: options.folder,
    command: nginxProgram,
    parameters: ['-p', folder, '-e', join(folder, 'error.log'), '-c', file],
    listens: options.listens,
    signal: 'SIGTERM',
  })
  return { pid, errorLog: () => readFileSync(join(folder, 'error.log'), 'utf8') }
}
