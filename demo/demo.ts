// Runs everything on this machine's loopback interface: the example backend, alta-auth, nginx with the
// shipped files in front of a live stream, and a page that shows it all.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBroadcast } from './broadcast.ts'
import { createDemoGate } from './demo-gate.ts'
import { readDemoSettings } from './demo-settings.ts'
import { createExampleBackend } from './example-backend.ts'
import { fillDocumentRoot, loop } from './fill-document-root.ts'
import { findPorts } from './find-ports.ts'
import { writeDemoSite } from './nginx-configuration.ts'
import { type Action, createPageServer } from './page-server.ts'
import { createProcesses } from './processes.ts'
import { untilListening } from './until-listening.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'alta-auth-demo-'))
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const loud = (text: string): string =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? `\x1b[1m${text}\x1b[0m` : text

let ending = false
async function end(code: number): Promise<void> {
  if (ending) return
  ending = true
  if (code === 0) say('\nending …')
  await processes.stopAll()
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}
const giveUp = (sentence: string): void => {
  if (ending) return
  process.stderr.write(`${sentence}\n`)
  void end(1)
}
const processes = createProcesses(giveUp)
// SIGHUP: the terminal was closed, so nothing can be written to it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))
process.stdout.on('error', () => void end(1))
process.on('uncaughtException', (error) => giveUp(`The demo has a fault: ${error.stack}`))

async function start(): Promise<void> {
  const settings = readDemoSettings(process.env)
  const [port, backendPort, gatePort, adminPort, pagePort] = await findPorts(...settings.ports)
  say('starting a backend, alta-auth and nginx …')

  const backend = createExampleBackend(backendPort, (line) => say(`backend: ${line}`))
  await backend.start()
  const gate = createDemoGate({ processes, root, folder, backendPort, port: gatePort, adminPort })
  await gate.start(settings.defaultAction)

  let backendState: 'running' | 'stopped' = 'running'
  let defaultAction: Action = settings.defaultAction
  const { server } = createPageServer({
    accessLog: join(folder, 'access.log'),
    controls: {
      get backend() {
        return backendState
      },
      get defaultAction() {
        return defaultAction
      },
      async stopBackend() {
        await backend.stop()
        backendState = 'stopped'
      },
      async startBackend() {
        await backend.start()
        backendState = 'running'
      },
      async setDefaultAction(action) {
        if (action === defaultAction) return
        await gate.start(action)
        defaultAction = action
      },
    },
  })
  server.on('error', (error) =>
    giveUp(`The page server does not listen on port ${pagePort}: ${error.message}`),
  )
  server.listen(pagePort, '127.0.0.1')

  const snippets = join(root, 'nginx', 'alta-auth')
  const configuration = writeDemoSite({ folder, snippets, port, gatePort, pagePort })
  fillDocumentRoot(join(folder, 'www'))
  startBroadcast({
    loop,
    channel: join(folder, 'www', 'live', 'test'),
    onError: (error) => say(`the stream stands still: ${error}`),
  })
  const nginx = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
  const parameters = ['-p', folder, '-e', join(folder, 'error.log'), '-c', configuration]
  processes.start({ name: 'nginx', command: nginx, parameters, cwd: folder })
  await untilListening('nginx', port)

  const site = `http://127.0.0.1:${port}`
  const url = `${site}/live/test/index.m3u8`
  say(`
Open ${loud(`${site}/`)} in a browser: a live stream, and the decisions about it as they are made.
The operator's view of the same, sessions and denials: http://127.0.0.1:${adminPort}/

nginx ${port} → alta-auth ${gatePort} → example backend ${backendPort}, all on 127.0.0.1.
Or copy a line into another terminal and watch the decisions appear here and on the page:

  allowed:   curl -i '${url}?token=123'
  denied:    curl -i '${url}?token=wrong'
  stop the backend and see the default action (${defaultAction}) for a viewer nobody knows:
             curl -X POST ${site}/demo/backend/stop; curl -i -A newcomer '${url}?token=123'

The backend is back with  curl -X POST ${site}/demo/backend/start
Ctrl-C ends everything.
`)
}

start().catch((error: unknown) => giveUp(error instanceof Error ? error.message : String(error)))
