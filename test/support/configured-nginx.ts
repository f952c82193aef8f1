import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from './free-port.ts'
import { gateLine } from './nginx.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

const shipped = fileURLToPath(new URL('../../nginx', import.meta.url))

/**
 * Changes the text of one file.
 * @throws when the file does not hold the text, so that every change has an effect
 */
export type Edit = readonly [file: string, from: string, to: string]

export interface ConfiguredOptions {
  /** What the server line of http.conf says. */
  readonly gate: string
  readonly verdictCache?: boolean
  readonly onFailure?: 'allow' | 'deny'
  /** In place of the example site. */
  readonly site?: string
  /** `site.conf`, or a file of nginx/alta-auth/. */
  readonly edits?: readonly Edit[]
}

/**
 * A folder for PATH. Its `nginx` is the real one, with the example site and the shipped files, after the
 * edits.
 */
export async function configureNginx(scope: Scope, options: ConfiguredOptions): Promise<string> {
  const folder = makeTemporaryFolder(scope)
  const snippets = join(folder, 'alta-auth')
  cpSync(join(shipped, 'alta-auth'), snippets, { recursive: true })
  let site = (options.site ?? readFileSync(join(shipped, 'examples', 'site.conf'), 'utf8'))
    .replace('listen 80;', `listen 127.0.0.1:${await findFreePort()};`)
    .replace('    listen [::]:80;\n', '')
    .replace('on-failure-deny', `on-failure-${options.onFailure ?? 'deny'}`)
  if (options.verdictCache === true) {
    site = site.replace(
      '# include /etc/nginx/alta-auth/cache-http.conf;',
      'include /etc/nginx/alta-auth/cache-http.conf;',
    )
  }
  writeFileSync(join(folder, 'site.conf'), site)
  const edit = (file: string, from: string, to: string): void => {
    const path = join(file === 'site.conf' ? folder : snippets, file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`${file} does not say ${from}`)
    writeFileSync(
      path,
      text.replace(from, () => to),
    )
  }
  edit('http.conf', gateLine, `server ${options.gate} max_fails=0;`)
  edit('cache-http.conf', '/run/alta-auth-verdicts', join(folder, 'verdicts'))
  for (const one of options.edits ?? []) edit(...one)
  const toFolder = readFileSync(join(folder, 'site.conf'), 'utf8')
    .replaceAll('/etc/nginx/', `${folder}/`)
    .replaceAll('/var/log/nginx', folder)
  writeFileSync(join(folder, 'site.conf'), toFolder)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { }
http { ${temporary.join(' ')}
include site.conf;
}
`,
  )
  return wrapNginx(folder)
}

/** A folder for PATH whose `nginx` is the real one with the nginx.conf of this folder. */
export function wrapNginx(folder: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const binary = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
  const file = join(bin, 'nginx')
  writeFileSync(file, `#!/bin/sh\nexec ${binary} -p ${folder} -c ${join(folder, 'nginx.conf')} "$@"\n`)
  chmodSync(file, 0o755)
  return bin
}
