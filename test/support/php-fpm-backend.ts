import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BackendNginx, startBackendNginx } from './backend-nginx.ts'
import { type Child, startChild } from './child.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

/** One run of the script; milliseconds since 1970. */
export interface Run {
  readonly query: string
  /** When nginx received the question, when a child took it from nginx, and when the child was finished. */
  readonly asked: number
  readonly began: number
  readonly ended: number
}

export interface PhpFpm extends BackendNginx {
  readonly fpm: Child
  /** From now on each script sleeps so many milliseconds before it answers. */
  sleep(milliseconds: number): void
  /** The runs that have ended, whether or not somebody waited for them. */
  runs(): Run[]
}

/** Allows a token that begins with `good`. */
const script = `<?php
$began = microtime(true) * 1000;
usleep((int) file_get_contents(__DIR__ . '/delay') * 1000);
http_response_code(str_starts_with((string) ($_GET['token'] ?? ''), 'good') ? 200 : 403);
$run = ['query' => $_SERVER['QUERY_STRING'], 'asked' => $_SERVER['ASKED_AT'] * 1000, 'began' => $began, 'ended' => microtime(true) * 1000];
file_put_contents(__DIR__ . '/runs', json_encode($run) . "\\n", FILE_APPEND | LOCK_EX);
`

/**
 * php-fpm with this many children behind an nginx of its own, as most middlewares run. A question that waits
 * there cannot be taken back.
 */
export async function startPhpFpm(scope: Scope, children = 5): Promise<PhpFpm> {
  const folder = makeTemporaryFolder(scope)
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const isRoot = process.getuid?.() === 0
  write('index.php', script)
  write('delay', '0')
  write('runs', '')
  write(
    'fpm.conf',
    `[global]
error_log = ${folder}/fpm.log
[www]
listen = ${folder}/fpm.sock
pm = static
pm.max_children = ${children}
${isRoot ? 'user = root\ngroup = root' : ''}
`,
  )
  const fpmParameters = ['--nodaemonize', '--fpm-config', join(folder, 'fpm.conf')]
  const fpm = startChild(
    scope,
    phpFpm(),
    isRoot ? ['--allow-to-run-as-root', ...fpmParameters] : fpmParameters,
  )
  await until('php-fpm to listen', () => {
    if (fpm.process.exitCode !== null) throw new Error(`php-fpm did not start:\n${fpm.output()}`)
    return existsSync(join(folder, 'fpm.sock'))
  })

  const front = await startBackendNginx(
    scope,
    `fastcgi_pass unix:${folder}/fpm.sock;
      fastcgi_param SCRIPT_FILENAME ${folder}/index.php;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param ASKED_AT $msec;`,
  )
  return {
    ...front,
    fpm,
    sleep: (milliseconds) => write('delay', String(milliseconds)),
    runs: () =>
      readFileSync(join(folder, 'runs'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Run),
  }
}

/**
 * The most questions that the backend had at once: those that children worked on, and those that waited for a
 * child.
 */
export function mostAtOnce(runs: readonly Run[]): number {
  const steps = runs.flatMap(({ asked, ended }) => [
    { at: asked, by: 1 },
    { at: ended, by: -1 },
  ])
  let now = 0
  let most = 0
  for (const { by } of steps.sort((one, other) => one.at - other.at || one.by - other.by)) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

/** Debian puts the version into the program's name. */
function phpFpm(): string {
  const names = readdirSync('/usr/sbin').filter((name) => /^php-fpm[\d.]*$/.test(name))
  const [name] = names
  if (name === undefined) throw new Error('no php-fpm in /usr/sbin')
  return join('/usr/sbin', name)
}
