// Does anything grow? npm run soak [-- minutes; at least 3, 10 unless given]
// Opens 200 sessions a second in the built program, while faults of its backend come in turn within each
// minute. Prints a line a minute. Ends with 1 in three cases: the heap of the last minute differs by more
// than 5 % from that of minute 2; descriptors or timers are left behind; or the faults had no effect, so that
// nothing was shown.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../test/support/free-port.ts'
import { type GetAnswer, getVerdict } from '../test/support/http-get.ts'
import { until } from '../test/support/until.ts'

const MINUTES = Number(process.argv[2] ?? 10)
const SESSIONS_A_SECOND = 200
const MINUTE = 60_000
/** Milliseconds between two groups of new sessions. */
const BEAT = 50
const MAX_DRIFT = 0.05
/**
 * The requests of a viewer, each with the milliseconds to wait before it. At the third the session is due for
 * a re-check, and at the last the re-check has ended.
 */
const requests = [
  ['index.m3u8', 0],
  ['1.ts', 0],
  ['2.ts', 7_000],
  ['3.ts', 2_000],
] as const
/** Descriptors and timers that may come and go by themselves. */
const MARGIN = 4
/** A host that no other program uses: no other takes the backend's port while it refuses connections. */
const BACKEND_HOST = '127.77.0.1'

if (!(MINUTES >= 3)) throw new Error('at least 3 minutes: the last one is compared with the second')

/** Each lasts 6 s. */
const faults = ['ok', 'deny', 'ok', '5xx', 'ok', 'hang', 'ok', 'reset', 'ok', 'refuse'] as const
type Fault = (typeof faults)[number]
let fault: Fault = 'ok'

const answers: Partial<Record<Fault, string>> = {
  ok: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  deny: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
  '5xx': 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad',
}

const sockets = new Set<Socket>()
const backend = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => {})
  socket.on('close', () => sockets.delete(socket))
  socket.on('data', () => {
    if (fault === 'reset') socket.resetAndDestroy()
    else if (fault !== 'hang') socket.write(answers[fault] ?? '')
  })
})
const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve) => server.listen(port, BACKEND_HOST, resolve))

async function turnTo(next: Fault, port: number): Promise<void> {
  if (next === fault) return
  const was = fault
  fault = next
  if (was === 'refuse') await listen(backend, port)
  if (next !== 'refuse') return
  backend.close()
  for (const socket of sockets) socket.destroy()
}

interface Sample {
  /** Bytes after a forced garbage collection. */
  readonly heap: number
  /** What keeps or could keep the event loop alive: kind → number. */
  readonly active: Readonly<Record<string, number>>
}

/** Answers each message with a Sample. */
const sampler = `
  process.on('message', () => {
    gc(); gc()
    const active = {}
    for (const kind of process.getActiveResourcesInfo()) active[kind] = (active[kind] ?? 0) + 1
    process.send({ heap: process.memoryUsage().heapUsed, active })
  })
  process.channel.unref()
`
const backendPort = await findFreePort()
await listen(backend, backendPort)
const port = await findFreePort()
const preload = `data:text/javascript,${encodeURIComponent(sampler)}`
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const gate = spawn(process.execPath, ['--expose-gc', '--import', preload, main], {
  env: {
    PATH: process.env['PATH'],
    BACKEND_URL: `http://${BACKEND_HOST}:${backendPort}/auth`,
    BACKEND_TIMEOUT: '1s',
    DEFAULT_ACTION: 'allow',
    LISTEN: `127.0.0.1:${port}`,
    ADMIN_LISTEN: 'off',
    // Short, so that minute 2 is like any other.
    ALLOW_TTL: '5s',
    SESSION_IDLE: '15s',
  },
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
})
gate.stdout?.resume()
gate.on('exit', (code) => {
  console.log(`the gate has ended with ${code}`)
  process.exit(1)
})

const sample = async (): Promise<Sample> => {
  const answered = once(gate, 'message')
  gate.send('sample')
  const [taken] = await answered
  return taken as Sample
}
const openFiles = (): number => readdirSync(`/proc/${gate.pid}/fd`).length
const timersOf = ({ active }: Sample): number => active['Timeout'] ?? 0
const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`

const agent = new Agent({ keepAlive: true, maxSockets: 1_000 })
let sources: Record<string, number> = {}
/** The sources that must decide at least once. Otherwise the faults had no effect. */
const unseen = new Set(['backend', 'session', 'stale', 'default'])
let failed = 0
const count = (answer: GetAnswer | undefined): void => {
  if (answer?.status !== 200 && answer?.status !== 403) failed++
  const source = String(answer?.headers['x-auth-source'] ?? 'none')
  sources[source] = (sources[source] ?? 0) + 1
  unseen.delete(source)
}

/** A new viewer opens a playlist and plays. */
async function watch(number: number): Promise<void> {
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
  const viewer = { address, userAgent: `player-${number % 50}` }
  for (const [file, pause] of requests) {
    const token = file === 'index.m3u8' ? `?token=${number}` : ''
    const question = { ...viewer, uri: `/live/${number % 500}/${file}${token}` }
    if (pause > 0) await delay(pause)
    count(await getVerdict({ port, agent }, question).catch(() => undefined))
  }
}

await until('the gate', () =>
  getVerdict({ port }).then(
    () => true,
    () => false,
  ),
)
// The idle connection of this first question is closed in this time.
await delay(6_000)
const filesAtStart = openFiles()
const start = await sample()
console.log(
  `start: heap ${megabytes(start.heap)}, ${filesAtStart} fds, active ${JSON.stringify(start.active)}`,
)

const began = performance.now()
const heaps: number[] = []
const watching = new Set<Promise<void>>()
let opened = 0
for (let minute = 1; minute <= MINUTES; minute++) {
  sources = {}
  while (performance.now() - began < minute * MINUTE) {
    const elapsed = performance.now() - began
    const next = faults[Math.floor((elapsed % MINUTE) / (MINUTE / faults.length))] ?? 'ok'
    await turnTo(next, backendPort)
    for (; opened < (elapsed / 1_000) * SESSIONS_A_SECOND; opened++) {
      const one: Promise<void> = watch(opened).finally(() => watching.delete(one))
      watching.add(one)
    }
    await delay(BEAT)
  }
  const now = await sample()
  heaps.push(now.heap)
  console.log(
    `minute ${minute}: heap ${megabytes(now.heap)}, ${openFiles()} fds, active ${JSON.stringify(now.active)}, ` +
      `${opened} sessions opened, decisions ${JSON.stringify(sources)}, ${failed} failed`,
  )
}

await turnTo('ok', backendPort)
await Promise.all(watching)
agent.destroy()
const isBack = async (): Promise<boolean> =>
  openFiles() <= filesAtStart + MARGIN && timersOf(await sample()) <= timersOf(start) + MARGIN
const back = await until('descriptors and timers', isBack, 30_000).then(
  () => true,
  () => false,
)
const end = await sample()
console.log(`end: heap ${megabytes(end.heap)}, ${openFiles()} fds, active ${JSON.stringify(end.active)}`)

const [, second = 0] = heaps
const drift = (heaps.at(-1) ?? 0) / second - 1
const problems = [
  ...(Math.abs(drift) > MAX_DRIFT ? [`the heap has changed by ${(drift * 100).toFixed(1)} %`] : []),
  ...(back ? [] : ['descriptors or timers are left behind']),
  ...(unseen.size > 0 ? [`nothing was decided by ${Array.from(unseen).join(', ')}`] : []),
  ...(failed > 0 ? [`${failed} requests got neither 200 nor 403`] : []),
]
console.log(`heap since minute 2: ${(drift * 100).toFixed(1)} %; ${problems.join('; ') || 'all well'}`)
gate.removeAllListeners('exit')
gate.kill('SIGKILL')
process.exit(problems.length === 0 ? 0 : 1)
