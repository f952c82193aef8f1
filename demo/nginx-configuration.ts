import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The site of the demo. */
export interface DemoSite {
  /** The folder of all files that nginx writes and reads. The document root is `www`. */
  readonly folder: string
  /** The shipped nginx files: `nginx/alta-auth` of the repository. */
  readonly snippets: string
  readonly port: number
  readonly gatePort: number
  readonly pagePort: number
}

/**
 * Writes the configuration of a site with the page and the stream, and returns the path of its nginx.conf.
 * The nginx files are used as shipped.
 */
export function writeDemoSite({ folder, snippets, port, gatePort, pagePort }: DemoSite): string {
  const copy = join(folder, 'alta-auth')
  cpSync(snippets, copy, { recursive: true })
  const http = join(copy, 'http.conf')
  writeFileSync(
    http,
    readFileSync(http, 'utf8').replace('server 127.0.0.1:9180 ', `server 127.0.0.1:${gatePort} `),
  )
  mkdirSync(join(folder, 'www'), { recursive: true })

  const configuration = join(folder, 'nginx.conf')
  writeFileSync(
    configuration,
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { }
http {
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  types {
    text/html html; text/css css; text/javascript js; image/svg+xml svg;
    application/vnd.apple.mpegurl m3u8; video/mp2t ts;
  }
  include ${copy}/http.conf;
  access_log ${folder}/access.log alta_auth;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/www;
    charset utf-8;
    include ${copy}/server.conf;
    include ${copy}/on-failure-deny.conf;
    location / { add_header Cache-Control no-cache; }
    location /live/ {
      include ${copy}/location.conf;
      add_header Cache-Control no-cache;
      add_header X-Auth-Verdict $alta_auth_verdict always;
      add_header X-Auth-Source  $alta_auth_source  always;
      add_header X-Auth-Reason  $alta_auth_reason  always;
    }
    location /demo/ {
      access_log off;
      proxy_pass http://127.0.0.1:${pagePort};
      proxy_set_header Host $http_host;
    }
  }
}
`,
  )
  return configuration
}
