import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { describe } from 'node:test'
import { askGate, type GateQuestion, gateHeaders } from '../../support/ask-gate.ts'
import { startBackend } from '../../support/backend.ts'
import { findFreePort } from '../../support/free-port.ts'
import { openGateLines } from '../../support/gate-lines.ts'
import { mainFile, startMain } from '../../support/main-process.ts'
import { patientTest } from '../../support/patient-test.ts'
import { forSuite, type Scope } from '../../support/scope.ts'
import { until } from '../../support/until.ts'

/** Milliseconds that a busy machine may add. */
const MARGIN = 1_500

// Fewer are too few for Node to load the gate: it opens the files of a module's imports at once.
describe('128 descriptors for 200 clients', () => {
  patientTest('are answered or closed, and all is well afterwards', async (t) => {
    const backend = await startBackend(t)
    backend.answer = ({ target }, response) => {
      setTimeout(() => response.writeHead(target.endsWith('token=good') ? 200 : 403).end(), 50)
    }
    const port = await findFreePort()
    const script = 'ulimit -n 128; exec "$0" "$1"'
    const main = startMain(
      t,
      { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: `127.0.0.1:${port}` },
      { command: ['sh', '-c', script, process.execPath, mainFile] },
    )
    await main.listening()
    const limit = /Max open files +(\d+)/.exec(readFileSync(`/proc/${main.pid}/limits`, 'utf8'))?.[1]
    assert.equal(limit, '128')
    // The first question of all opens a file: the parser of answers.
    assert.equal((await askGate(port, { uri: '/x?token=good', userAgent: 'first' })).status, 200)
    const openFiles = (): number => readdirSync(`/proc/${main.pid}/fd`).length
    const wasOpen = openFiles()

    const tally: Record<string, number> = {}
    let most = 0
    const client = async (number: number): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) {
        const token = (number + turn) % 2 === 0 ? 'good' : 'bad'
        const what = await askOn(port, {
          uri: `/live/index.m3u8?token=${token}`,
          userAgent: `viewer-${number}-${turn}`,
          address: `192.0.2.${number}`,
        })
        most = Math.max(most, openFiles())
        tally[`${token} ${what}`] = (tally[`${token} ${what}`] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: 200 }, (_, number) => client(number)))
    t.diagnostic(`${JSON.stringify(tally)}, at most ${most} open files`)
    assert.ok(most > 80, `the limit was never reached: ${most}`)
    const allowed = ['good 200', 'good 403', 'good closed', 'bad 403', 'bad closed']
    assert.deepEqual(
      Object.keys(tally).filter((what) => !allowed.includes(what)),
      [],
    )

    await until(
      'a real verdict',
      async () =>
        (await askGate(port, { uri: '/x?token=good', userAgent: `${performance.now()}` })).status === 200,
      5_000,
    )
    for (let number = 0; number < 20; number++) {
      const question = { uri: `/live/index.m3u8?token=good`, userAgent: `late-${number}` }
      assert.equal((await askGate(port, question)).reason, 'backend-200')
    }
    await until('connections to close', () => openFiles() <= wasOpen + 16)
    const errors = main
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'))
    assert.deepEqual(errors.filter((line) => !line.includes(' EMFILE ')).slice(0, 3), [])
    assert.equal(main.stderr(), '')
  })

  /** The status, or that the connection was closed without one. */
  function askOn(port: number, question: GateQuestion): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.setTimeout(10_000, () => resolve('silent'))
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1')
      })
      socket.on('close', () => resolve(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 'closed'))
      const lines = ['GET /auth HTTP/1.1', 'Host: x', 'Connection: close', ...gateHeaders(question), '', '']
      socket.write(lines.join('\r\n'))
    })
  }
})

describe('a log reader that has stalled', () => {
  const REQUESTS = 10_000
  const TOGETHER = 20
  /** Bytes. */
  const MAX_GROWTH = 40 * 1_048_576

  const backend = forSuite((scope) => startBackend(scope))

  /** A gate that logs much to a pipe that nobody reads. */
  const start = async (scope: Scope) => {
    const port = await findFreePort()
    // A place for each viewer that asks at the same moment: all have one address.
    const room = { BACKEND_CONCURRENCY: String(8 * TOGETHER) }
    const environment = { ADMIN_LISTEN: 'off', LISTEN: `127.0.0.1:${port}`, ...room }
    const child = spawn(process.execPath, [mainFile], {
      env: { PATH: process.env['PATH'], BACKEND_URL: backend.url, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'exit').then(([code]) => code as number | null)
    scope.after(async () => {
      child.kill('SIGKILL')
      await closed
    })
    await until('the gate', () =>
      askGate(port).then(
        () => true,
        () => false,
      ),
    )
    const askOnLine = openGateLines(scope, port, TOGETHER)
    const times: number[] = []
    let viewers = 0
    const ask = async (count: number): Promise<void> => {
      const uri = `/live/${'x'.repeat(500)}/index.m3u8?token=1`
      for (let turn = 0; turn < count; turn++) {
        const began = performance.now()
        const { status } = await askOnLine({ uri, userAgent: `viewer-${viewers++}` })
        assert.equal(status, 200)
        times.push(performance.now() - began)
      }
    }
    const crowd = async (requests: number): Promise<void> => {
      await Promise.all(Array.from({ length: TOGETHER }, () => ask(requests / TOGETHER)))
    }
    const rss = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024
    return { child, closed, times, ask, crowd, rss }
  }

  patientTest('delays nobody, costs bounded memory, and is told how much it has missed', async (t) => {
    const { child, times, ask, crowd, rss } = await start(t)
    await crowd(REQUESTS / 4)
    const before = rss()
    await crowd((REQUESTS * 3) / 4)
    const grown = rss() - before
    times.sort((a, b) => a - b)
    const slowest = times[Math.floor(times.length * 0.99)] ?? 0
    const megabytes = Math.round(grown / 1_048_576)
    t.diagnostic(`${times.length} answers, 99 % within ${Math.round(slowest)} ms, ${megabytes} MB more`)
    assert.ok(slowest < MARGIN, `${slowest} ms`)
    assert.ok(grown < MAX_GROWTH, `${megabytes} MB more`)

    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const count = (message: string): number => printed.split(`"message":"${message}"`).length - 1
    await until('the number of dropped lines', () => count('log lines dropped') > 0)
    const written = count('decided')
    const dropped = Number(/"log lines dropped","lines":(\d+)/.exec(printed)?.[1])
    t.diagnostic(`${written} lines written, ${dropped} dropped`)
    assert.ok(dropped > REQUESTS / 2, `${dropped} dropped`)
    const told = written + dropped
    assert.ok(told > REQUESTS - 4 * TOGETHER && told <= REQUESTS + 1, `${written} + ${dropped}`)

    await ask(10)
    await until('new lines', () => count('decided') === written + 10)
    assert.equal(count('log lines dropped'), 1)
    for (const line of printed.trim().split('\n')) JSON.parse(line)
  })

  patientTest('does not keep it from ending', async (t) => {
    const { child, closed, crowd } = await start(t)
    await crowd(REQUESTS / 4)
    const began = performance.now()
    child.kill('SIGTERM')
    assert.equal(await closed, 0)
    assert.ok(performance.now() - began < 3_000 + MARGIN, `${performance.now() - began} ms`)
  })
})
