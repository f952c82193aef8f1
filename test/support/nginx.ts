import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepts } from './accepts.ts'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

const shipped = fileURLToPath(new URL('../../nginx/alta-auth', import.meta.url))
/** The one line that an operator changes. */
export const gateLine = 'server 127.0.0.1:9180 max_fails=0;'
/** Where cache-http.conf keeps verdicts. */
const cacheFolder = '/run/alta-auth-verdicts'

export interface NginxOptions {
  /** Where the gate listens: `host:port` or `unix:/path`; several make several servers of the upstream. */
  readonly gates: readonly string[]
  readonly onFailure?: 'allow' | 'deny'
  /** Include cache-http.conf. The cache is in a folder of its own. */
  readonly verdictCache?: boolean
  /** Include credentials-http.conf. */
  readonly pathCredentials?: boolean
  /** A line of server.conf, without its indentation, that is left out. */
  readonly without?: string
  /** Files below the document root: path → content. */
  readonly files?: Readonly<Record<string, string>>
  /**
   * Locations and more, at server level. `LOCATION`, `COOKIE`, `CORS` and `RETRY` stand for include lines of
   * location.conf, cookie.conf, cors.conf and retry.conf.
   */
  readonly server?: string
  /** At http level. */
  readonly http?: string
  /** `worker_connections`, which include listening sockets and connections to gates; 4,096 unless given. */
  readonly connections?: number
  /** HTTP/3 on the TLS port, too. */
  readonly http3?: boolean
  /** Outside of `http { }`. */
  readonly main?: string
  /** More variables for its environment. nginx keeps only those that `env` lines of `main` name. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Nginx {
  readonly port: number
  readonly tlsPort: number
  /** http://127.0.0.1:port */
  readonly url: string
  readonly root: string
  /** Where the shipped snippets lie. */
  readonly snippets: string
  /** Where the verdict cache lies. */
  readonly verdicts: string
  readonly child: Child
  /** Lines of the access log, in the shipped format. */
  accessLog(): string[]
  errorLog(): string
}

const defaultServer = `
  location / { LOCATION }
  location /open/ { }
`

/** Starts the real nginx with the files that we ship: HTTP/1.1, and HTTP/2 on the TLS port. */
export async function startNginx(scope: Scope, options: NginxOptions): Promise<Nginx> {
  const folder = makeTemporaryFolder(scope)
  const snippets = join(folder, 'alta-auth')
  cpSync(shipped, snippets, { recursive: true })
  const http = readFileSync(join(snippets, 'http.conf'), 'utf8')
  const servers = options.gates.map((gate) => `server ${gate} max_fails=0;`).join(' ')
  writeFileSync(join(snippets, 'http.conf'), http.replace(gateLine, servers))
  if (options.without !== undefined) takeOut(join(snippets, 'server.conf'), options.without)
  const cache = options.verdictCache === true
  if (cache) moveCache(join(snippets, 'cache-http.conf'), join(folder, 'verdicts'))

  const root = join(folder, 'www')
  for (const [path, content] of Object.entries(options.files ?? { '/index.m3u8': '#EXTM3U\n' })) {
    const file = join(root, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
  }
  mkdirSync(root, { recursive: true })
  makeCertificate(folder)

  const port = await findFreePort()
  const tlsPort = await findFreePort()
  const server = (options.server ?? defaultServer).replaceAll(
    /\b(?:LOCATION|COOKIE|CORS|RETRY)\b/g,
    (word) => `include ${snippets}/${word.toLowerCase()}.conf;`,
  )
  const configuration = `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log info;
${process.getuid?.() === 0 ? 'user root;' : ''}
${options.main ?? ''}
events { worker_connections ${options.connections ?? 4096}; }
http {
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  include ${snippets}/http.conf;
  ${cache ? `include ${snippets}/cache-http.conf;` : ''}
  ${options.pathCredentials === true ? `include ${snippets}/credentials-http.conf;` : ''}
  access_log ${folder}/access.log alta_auth;
  ${options.http ?? ''}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen [::1]:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    listen [::1]:${tlsPort} ssl;
    http2 on;
    ${options.http3 === true ? `listen 127.0.0.1:${tlsPort} quic; listen [::1]:${tlsPort} quic;` : ''}
    server_name localhost;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    root ${root};
    include ${snippets}/server.conf;
    include ${snippets}/on-failure-${options.onFailure ?? 'deny'}.conf;
    ${server}
  }
}
`
  writeFileSync(join(folder, 'nginx.conf'), configuration)
  const binary = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
  const child = startChild(scope, binary, ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    env: { ...process.env, ...options.env },
  })
  await until(`nginx to listen\n${child.output()}`, async () => {
    if (child.process.exitCode !== null) throw new Error(`nginx did not start:\n${child.output()}`)
    return await accepts(port)
  })
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  return {
    port,
    tlsPort,
    url: `http://127.0.0.1:${port}`,
    root,
    snippets,
    verdicts: join(folder, 'verdicts'),
    child,
    accessLog: () =>
      read('access.log')
        .split('\n')
        .filter((line) => line !== ''),
    errorLog: () => read('error.log'),
  }
}

function takeOut(file: string, line: string): void {
  const lines = readFileSync(file, 'utf8').split('\n')
  const rest = lines.filter((one) => one.trim() !== line)
  if (rest.length !== lines.length - 1) throw new Error(`${file}: not exactly one ${line}`)
  writeFileSync(file, rest.join('\n'))
}

function moveCache(file: string, folder: string): void {
  const text = readFileSync(file, 'utf8')
  if (!text.includes(`proxy_cache_path ${cacheFolder} `)) throw new Error(`${file}: no ${cacheFolder}`)
  writeFileSync(file, text.replace(`proxy_cache_path ${cacheFolder} `, `proxy_cache_path ${folder} `))
}

function makeCertificate(folder: string): void {
  const parameters = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const files = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`]
  execFileSync('openssl', [...parameters, '-subj', '/CN=localhost', ...files], { stdio: 'ignore' })
}
