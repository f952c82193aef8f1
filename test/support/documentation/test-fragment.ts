import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from '../free-port.ts'
import { gateLine } from '../nginx.ts'
import type { Scope } from '../scope.ts'
import { makeTemporaryFolder } from '../temporary-folder.ts'
import { root } from './pages.ts'

/** Pieces of a configuration, each by the level where it belongs. */
export interface Fragments {
  readonly http?: string
  readonly server?: string
  /** In place of the server line in http.conf. */
  readonly upstream?: string
}

const binary = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'

/**
 * Tests pieces of a configuration beside the shipped files with the real nginx. The result is what nginx
 * complains about.
 */
export async function testFragment(scope: Scope, { http, server, upstream }: Fragments): Promise<string> {
  const folder = makeTemporaryFolder(scope)
  const snippets = join(folder, 'alta-auth')
  cpSync(join(root, 'nginx/alta-auth'), snippets, { recursive: true })
  mkdirSync(join(folder, 'logs'))
  const file = join(snippets, 'http.conf')
  const shipped = readFileSync(file, 'utf8')
  if (!shipped.includes(gateLine)) throw new Error(`http.conf lacks the line ${gateLine}`)
  writeFileSync(file, shipped.replace(gateLine, upstream ?? gateLine))
  const configuration = `pid ${folder}/nginx.pid; events { }
http {
  include /etc/nginx/alta-auth/http.conf;
  ${http ?? ''}
  server {
    listen 127.0.0.1:${await findFreePort()};
    include /etc/nginx/alta-auth/server.conf;
    include /etc/nginx/alta-auth/on-failure-deny.conf;
    ${server ?? ''}
  }
}
`
  writeFileSync(join(folder, 'nginx.conf'), configuration.replaceAll('/etc/nginx/alta-auth', snippets))
  const { status, stderr } = spawnSync(
    binary,
    ['-t', '-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')],
    { encoding: 'utf8', timeout: 30_000 },
  )
  return status === 0 && !/\[(?:warn|emerg|error)\]/.test(stderr) ? '' : stderr
}
