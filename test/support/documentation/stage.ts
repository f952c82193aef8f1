import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createLog } from '../../../src/log/log.ts'
import { accepts } from '../accepts.ts'
import { type Child, startChild } from '../child.ts'
import { findFreePort } from '../free-port.ts'
import { type Gate, startGate } from '../gate.ts'
import { mainFile } from '../main-process.ts'
import type { Scope } from '../scope.ts'
import { makeTemporaryFolder } from '../temporary-folder.ts'
import { until } from '../until.ts'
import { root } from './pages.ts'

/** What runs while a command runs. */
export interface World {
  readonly backend: boolean
  readonly gate: boolean
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A machine as the pages describe it, below a folder: nginx with its `/etc/nginx`, the gate on its port, the
 * example backend on port 6000. Commands are run as they are written, except that paths and ports are
 * replaced by those of the stage.
 */
export interface Stage {
  /** Runs a script in a shell, in what looks like a clone of the repository. */
  run(script: string, world: World): Promise<Ran>
  /** Starts what the page tells to start in the backend's place, and waits until it listens. */
  startBackend(script: string): Promise<void>
  /** What lies in `/etc/nginx/conf.d/`, in place of what lay there before. */
  writeSite(text: string): void
  /** A file of the reader's, in the folder where the scripts run. */
  writeFile(name: string, text: string): void
  /** Whether nginx takes the site as it is now. */
  testSite(): Promise<Ran>
}

const nginxBinary = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
/** The documented ports, in the order of `ports` below. */
const documentedPorts = ['6000', '9180', '9181', '9182', '9183']
/** How long a program may take to start, in milliseconds. */
const PATIENCE = 30_000
const files = ['index.m3u8', '1.ts', '2.ts']

/**
 * `withSnippets`: the nginx files are in /etc/nginx already, as after docs/install.md, and the example site
 * runs.
 */
export async function startStage(scope: Scope, withSnippets: boolean): Promise<Stage> {
  const folder = makeTemporaryFolder(scope)
  const at = (path: string): string => join(folder, path)
  const free = new Set<number>()
  while (free.size <= documentedPorts.length) free.add(await findFreePort())
  const [site, ...ports] = [...free].map(String)
  const [backendPort = '', gatePort = '', adminPort = ''] = ports

  const toStage = (text: string): string => {
    let result = text
      .replaceAll(
        /(?<![\w.])\/(?=(?:etc\/nginx|etc\/prometheus|var\/log|run\/alta-auth|srv\/media)\b)/g,
        `${folder}/`,
      )
      .replaceAll('listen 80;', `listen 127.0.0.1:${site};`)
      .replaceAll('listen [::]:80;', '')
    for (const [index, port] of documentedPorts.entries()) {
      result = result.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${ports[index]}`)
    }
    return result
  }
  const fromStage = (text: string): string => {
    let result = text.replaceAll(folder, '')
    for (const [index, port] of documentedPorts.entries())
      result = result.replaceAll(`127.0.0.1:${ports[index]}`, `127.0.0.1:${port}`)
    return result
  }

  for (const path of [
    'etc/nginx/conf.d',
    'etc/prometheus',
    'var/log/nginx',
    'run/alta-auth',
    'srv/media/live/news',
    'srv/media/live/sport',
    'bin',
    'clone',
  ])
    mkdirSync(at(path), { recursive: true })
  for (const channel of ['news', 'sport'])
    for (const file of files) writeFileSync(at(`srv/media/live/${channel}/${file}`), '#EXTM3U\n')
  for (const name of ['nginx', 'examples', 'monitoring']) symlinkSync(join(root, name), at(`clone/${name}`))
  writeFileSync(at('etc/nginx/nginx.conf'), nginxConfiguration(folder))
  // The settings of the gate below, for commands that read settings themselves.
  const settings = {
    BACKEND_URL: toStage('http://127.0.0.1:6000/auth'),
    LISTEN: `127.0.0.1:${gatePort}`,
    ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(at('clone/.env'), lines.join(''))
  // Viewers use the host's name. Its address is this machine's.
  writeFileSync(at('.curlrc'), `connect-to = "live.example.com:80:127.0.0.1:${site}"\nmax-time = 10\n`)
  const wrapper = (name: string, script: string): void => {
    writeFileSync(at(`bin/${name}`), `#!/bin/bash\n${script}\n`)
    chmodSync(at(`bin/${name}`), 0o755)
  }
  wrapper('alta-auth', `exec '${process.execPath}' '${mainFile}' "$@"`)
  wrapper('sudo', 'exec "$@"')
  // The test cannot write to the machine's journal. The lines are those of the gate.
  wrapper('journalctl', `[ "$*" = '-u alta-auth -n 1 -o cat' ] && exec tail -n 1 '${at('var/log/gate')}'`)
  const paths = ['http.conf', 'cache-http.conf'].map((name) => at(`etc/nginx/alta-auth/${name}`)).join(' ')
  wrapper(
    'nginx',
    `for file in ${paths}; do
  [ -e $file ] && sed -i -e 's#127.0.0.1:9180 #127.0.0.1:${gatePort} #' -e 's# /run/alta-auth# ${folder}/run/alta-auth#' $file
done
log='${at('error.log')}'
ended() { grep -c 'worker process .* exited with code 0' "$log" 2> /dev/null; }
before=$(ended)
'${nginxBinary}' -p '${folder}' -e "$log" -c '${at('etc/nginx/nginx.conf')}' "$@" || exit
[ "$*" = '-s reload' ] || exit 0
# A reader needs a moment for the next command; here the old worker must be gone.
for _ in $(seq 1000); do [ "$(ended)" != "$before" ] && exit 0; sleep 0.01; done
echo 'nginx was not reloaded' >&2; exit 1`,
  )
  const env = { PATH: `${at('bin')}:${process.env['PATH']}:/usr/sbin`, HOME: folder, LC_ALL: 'C.UTF-8' }

  const runScript = async (script: string): Promise<Ran> => {
    const options = { cwd: at('clone'), env, timeout: 60_000 }
    const shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', toStage(script)], options)
    shell.stdin.end()
    const [stdout, stderr, [code]] = await Promise.all([
      text(shell.stdout),
      text(shell.stderr),
      once(shell, 'close') as Promise<[number | null]>,
    ])
    return { code, stdout: fromStage(stdout), stderr: fromStage(stderr) }
  }
  const start = async (script: string, port: string): Promise<Child> => {
    const child = startChild(scope, 'bash', ['-c', `exec ${toStage(script)}`], { cwd: at('clone'), env })
    await until(
      `${script} to listen`,
      () => {
        if (child.process.exitCode !== null) throw new Error(`${script} ended:\n${child.output()}`)
        return accepts(Number(port))
      },
      PATIENCE,
    )
    return child
  }

  let backendScript = 'php -S 127.0.0.1:6000 examples/auth.php'
  let backend: Child | undefined
  let gate: Gate | undefined
  // In this process: to start another one for each page costs more than all else that the pages do.
  const stream = new Writable({
    write(line, _encoding, done) {
      appendFileSync(at('var/log/gate'), line)
      done()
    },
  })
  const log = createLog({ level: 'info', format: 'json', colour: false, stream })
  const setUp = async (world: World): Promise<void> => {
    if (world.backend) backend ??= await start(backendScript, backendPort)
    else {
      await backend?.stop()
      backend = undefined
    }
    if (world.gate) gate ??= await startGate(scope, settings, log)
    else {
      await gate?.service.stop()
      gate = undefined
    }
  }

  const stage: Stage = {
    async run(script, world) {
      await setUp(world)
      return runScript(script)
    },
    async startBackend(script) {
      await backend?.stop()
      backendScript = `env ${script}`
      backend = await start(backendScript, backendPort)
    },
    writeSite: (text) => writeFileSync(at('etc/nginx/conf.d/live.conf'), toStage(text)),
    writeFile: (name, text) => writeFileSync(at(`clone/${name}`), text),
    testSite: () => runScript('nginx -t'),
  }

  if (withSnippets) {
    cpSync(join(root, 'nginx/alta-auth'), at('etc/nginx/alta-auth'), { recursive: true })
    stage.writeSite(readFileSync(join(root, 'nginx/examples/site.conf'), 'utf8'))
  }
  await stage.testSite()
  const configuration = ['-e', at('error.log'), '-c', at('etc/nginx/nginx.conf'), '-g', 'daemon off;']
  startChild(scope, nginxBinary, ['-p', folder, ...configuration])
  await until(
    'nginx to start',
    () => existsSync(at('nginx.pid')) && readFileSync(at('nginx.pid'), 'utf8') !== '',
  )
  return stage
}

function nginxConfiguration(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  return `worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log notice;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { }
http { ${temporary.join(' ')} access_log off; include ${folder}/etc/nginx/conf.d/*.conf; }
`
}
