// Everything on this machine's loopback: the example backend, alta-auth, and nginx with the shipped snippets in front of sample files.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createControl } from './control.ts'
import { createExampleBackend } from './example-backend.ts'
import { findPorts } from './find-ports.ts'
import { writeDemoSite } from './nginx-configuration.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'alta-auth-demo-'))
const children: ChildProcess[] = []
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const [site, backendPort, gatePort, adminPort, controlPort] = await findPorts(8080, 6000, 9180, 9181, 6001)

let ending = false
async function end(code: number): Promise<void> {
  if (ending) return
  ending = true
  say('\nending …')
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null)
  for (const child of running) child.kill('SIGTERM')
  await Promise.race([
    Promise.all(running.map((child) => once(child, 'exit'))),
    delay(4000, undefined, { ref: false }),
  ])
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}
process.on('SIGINT', () => void end(0))
process.on('SIGTERM', () => void end(0))

function start(name: string, command: string, parameters: readonly string[], env = process.env): void {
  // A group of its own: Ctrl-C goes to the demo alone, which ends its parts in order.
  const child = spawn(command, parameters, { env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  child.on('error', (error) => {
    say(`${name} could not be started: ${error.message}`)
    void end(1)
  })
  child.on('exit', (code) => {
    if (ending) return
    say(`${name} ended by itself (code ${code}): see above`)
    void end(1)
  })
  children.push(child)
}

async function untilListening(name: string, port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const probe = connect(port, '127.0.0.1')
      probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
      probe.once('connect', () => probe.destroy())
    })
    if (isOpen) return
    await delay(20)
  }
  say(`${name} does not listen on port ${port} after 10 s`)
  await end(1)
}

const backend = createExampleBackend(backendPort, (line) => say(`backend: ${line}`))
await backend.start()
const control = createControl(backend)
control.listen(controlPort, '127.0.0.1')

const { DEFAULT_ACTION = 'deny' } = process.env
start('alta-auth', process.execPath, [join(root, 'dist', 'main.js')], {
  ...process.env,
  BACKEND_URL: `http://127.0.0.1:${backendPort}/auth`,
  LISTEN: `127.0.0.1:${gatePort}`,
  ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
  DEFAULT_ACTION,
  LOG_FORMAT: 'pretty',
})
const nginx = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
const configuration = writeDemoSite({
  folder,
  snippets: join(root, 'nginx', 'alta-auth'),
  port: site,
  gatePort,
})
start('nginx', nginx, ['-p', folder, '-e', join(folder, 'error.log'), '-c', configuration])
await untilListening('alta-auth', gatePort)
await untilListening('nginx', site)

const url = `http://127.0.0.1:${site}/live/index.m3u8`
say(`
nginx ${site} → alta-auth ${gatePort} (health: ${adminPort}) → example backend ${backendPort}, all on 127.0.0.1.
Copy a line into another terminal and watch the decisions appear here:

  allowed:   curl -i '${url}?token=123'
  denied:    curl -i '${url}?token=wrong'
  stop the backend and see the default action (${DEFAULT_ACTION}) for a viewer nobody knows:
             curl http://127.0.0.1:${controlPort}/stop; curl -i -A newcomer '${url}?token=123'

The backend is back with  curl http://127.0.0.1:${controlPort}/start
Ctrl-C ends everything.
`)
