import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type ListenAddress, ListenError, listen } from '../../src/listen.ts'
import { startBackend } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { type GetFrom, get, getVerdict } from '../support/http-get.ts'
import { type Main, mainFile, startMain } from '../support/main-process.ts'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** Opens so many connections at once. All of them are accepted or wait in the queue. */
async function assertAllConnect(t: TestContext, count: number, open: () => Socket): Promise<void> {
  const sockets = Array.from({ length: count }, open)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  let connected = 0
  const refused: string[] = []
  for (const socket of sockets) {
    socket.on('connect', () => connected++)
    socket.on('error', (error) => refused.push(error.message))
  }
  await until('all connections', () => connected + refused.length === count).catch(() => {})
  assert.deepEqual(refused.slice(0, 3), [])
  assert.equal(connected, count)
}

describe('listening', () => {
  const backend = forSuite((scope) => startBackend(scope))

  const start = (t: TestContext, LISTEN: string, more = {}): Main =>
    startMain(t, { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN, ...more })

  const assertAnswers = async (from: GetFrom): Promise<void> => {
    assert.equal((await getVerdict(from)).status, 200)
  }

  /** It ends with code 1, and prints one line that says what it could not do. */
  const assertRefuses = async (main: Main, line: RegExp): Promise<void> => {
    const listens = main.listening().then(() => assert.fail('it listens'))
    assert.equal(await Promise.race([main.exited, listens]), 1)
    assert.match(main.stderr(), line)
    assert.equal(main.stderr().trim().split('\n').length, 1, main.stderr())
  }

  test('host:port', async (t) => {
    const port = await findFreePort()
    await start(t, `127.0.0.1:${port}`).listening()
    await assertAnswers({ port })
  })

  test('[IPv6]:port', async (t) => {
    const port = await findFreePort()
    await start(t, `[::1]:${port}`).listening()
    await assertAnswers({ host: '::1', port })
  })

  test('unix:/path, reachable for owner and group only, whatever the umask', async (t) => {
    const folder = makeTemporaryFolder(t)
    for (const umask of ['000', '077']) {
      const socketPath = join(folder, `${umask}.sock`)
      const environment = { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: `unix:${socketPath}` }
      const script = `umask ${umask}; exec "$0" "$1"`
      const main = startMain(t, environment, { command: ['sh', '-c', script, process.execPath, mainFile] })
      await main.listening()
      assert.equal((statSync(socketPath).mode & 0o777).toString(8), '660')
      await assertAnswers({ socketPath })
    }
  })

  test('the admin listener takes a Unix socket as well', async (t) => {
    const socketPath = join(makeTemporaryFolder(t), 'admin.sock')
    await start(t, `127.0.0.1:${await findFreePort()}`, { ADMIN_LISTEN: `unix:${socketPath}` }).listening()
    assert.equal((await get({ socketPath }, '/readyz')).status, 200)
  })

  test('a socket file that nobody listens on any more is replaced', async (t) => {
    const socketPath = join(makeTemporaryFolder(t), 'gate.sock')
    const killed = start(t, `unix:${socketPath}`)
    await killed.listening()
    killed.signal('SIGKILL')
    await killed.exited
    assert.ok(lstatSync(socketPath).isSocket(), 'it is still there')

    await start(t, `unix:${socketPath}`).listening()
    await assertAnswers({ socketPath })
  })

  test('a socket file that another gate listens on is left to it', async (t) => {
    const socketPath = join(makeTemporaryFolder(t), 'gate.sock')
    await start(t, `unix:${socketPath}`).listening()

    await assertRefuses(
      start(t, `unix:${socketPath}`),
      /unix:.*\/gate\.sock: another process is listening there; stop it or choose another path/,
    )
    await assertAnswers({ socketPath })
  })

  /** What `listen` rejects with; the program prints its message and ends with 1, as the tests around show. */
  const refusal = async (address: ListenAddress): Promise<string> => {
    const error = await listen(createHttpServer(), address).then(
      () => assert.fail('it listens'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof ListenError)
    return error.message
  }
  const inTheWay: [what: string, put: (path: string) => void][] = [
    ['a plain file', (path) => writeFileSync(path, 'precious')],
    ['a folder', (path) => mkdirSync(path)],
    [
      'a link to a plain file',
      (path) => {
        writeFileSync(`${path}.target`, 'precious')
        symlinkSync(`${path}.target`, path)
      },
    ],
  ]
  for (const [what, put] of inTheWay) {
    test(`${what} in the way of a socket is left untouched`, async (t) => {
      const path = join(makeTemporaryFolder(t), 'gate.sock')
      put(path)
      const was = lstatSync(path)
      assert.match(await refusal({ kind: 'unix', path }), /\/gate\.sock: .*in the way.*choose another path/)
      assert.deepEqual(lstatSync(path), was)
      if (!was.isDirectory()) assert.equal(readFileSync(path, 'utf8'), 'precious')
    })
  }

  test('a folder that does not exist, a taken port and an address of another machine are told with the cure', async (t) => {
    const path = join(makeTemporaryFolder(t), 'missing', 'gate.sock')
    assert.match(
      await refusal({ kind: 'unix', path }),
      /missing\/gate\.sock: the folder does not exist; create it first/,
    )
    const { port } = backend
    assert.match(
      await refusal({ kind: 'tcp', host: '127.0.0.1', port }),
      new RegExp(`127\\.0\\.0\\.1:${port}: another process is listening there; .*choose another port`),
    )
    assert.match(
      await refusal({ kind: 'tcp', host: '192.0.2.1', port: 9180 }),
      /192\.0\.2\.1:9180: this machine has no such address; use/,
    )
  })

  test('a taken admin port ends the gate as well', async (t) => {
    const port = await findFreePort()
    const main = start(t, `127.0.0.1:${port}`, { ADMIN_LISTEN: `127.0.0.1:${backend.port}` })
    await assertRefuses(main, new RegExp(`127\\.0\\.0\\.1:${backend.port}: another process is listening`))
    await assert.rejects(getVerdict({ port }), { code: 'ECONNREFUSED' })
  })

  /** The longest queue that the kernel lets us ask for. */
  const line = Math.min(4096, Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')))
  // Twice as many as Node's default queue holds.
  for (const [kind, count] of [
    ['TCP', line],
    ['Unix', 1_000],
  ] as const) {
    test(`a burst of ${count} connections on ${kind} waits in line while the gate is busy`, async (t) => {
      const port = await findFreePort()
      const path = join(makeTemporaryFolder(t), 'gate.sock')
      const main = start(t, kind === 'TCP' ? `127.0.0.1:${port}` : `unix:${path}`)
      await main.listening()
      main.signal('SIGSTOP')
      await assertAllConnect(t, count, () =>
        kind === 'TCP' ? connect(port, '127.0.0.1') : connect({ path }),
      )
    })
  }

  test('a socket file is never open to others, not even at its first moment', async (t) => {
    const path = join(makeTemporaryFolder(t), 'gate.sock')
    const server = createHttpServer()
    t.after(() => void server.close())
    const mask = process.umask(0)
    const opening = listen(server, { kind: 'unix', path })
    const first = statSync(path).mode & 0o777
    assert.equal(process.umask(mask), 0, 'the mask of the process is as it was')
    await opening
    assert.equal((first & ~0o660).toString(8), '0')
  })
})

describe('a socket that systemd opened', () => {
  const backend = forSuite((scope) => startBackend(scope))

  /** As systemd does: the socket is descriptor 3 and meant for the process that becomes node. */
  const asSystemd = 'echo "pid $$"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'

  /**
   * Starts a gate, and another one whenever one ends, on a socket that a shell between test and gate keeps
   * open.
   */
  async function startOnInherited(t: TestContext): Promise<{ main: Main; port: number; gatePid(): number }> {
    const server = createServer()
    await new Promise<void>((resolve) =>
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve),
    )
    const { port } = server.address() as AddressInfo
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle
    const script = `while :; do sh -c '${asSystemd}' sh "$@"; done`
    const main = startMain(
      t,
      { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', BACKEND_CONCURRENCY: '1000' },
      { command: ['sh', '-c', script, 'sh', process.execPath, mainFile], inherit: fd },
    )
    server.close()
    const gatePid = (): number => Number([...main.stdout().matchAll(/^pid (\d+)$/gm)].at(-1)?.[1])
    return { main, port, gatePid }
  }

  test('is the one that is listened on, and keeps the long line that systemd gave it', async (t) => {
    const { main, port, gatePid } = await startOnInherited(t)
    await main.listening()
    assert.equal((await getVerdict({ port })).status, 200)
    process.kill(gatePid(), 'SIGSTOP')
    // Twice as many as Node's default queue holds.
    await assertAllConnect(t, 1_000, () => connect(port, '127.0.0.1'))
  })

  test('is refused with a clear message when it is none', async (t) => {
    const environment = { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off' }
    const command = ['sh', '-c', asSystemd, 'sh', process.execPath, mainFile] as const
    const main = startMain(t, environment, { command })
    assert.equal(await main.exited, 1)
    assert.match(main.stderr(), /systemd socket \(fd 3\): .*the inherited socket cannot be listened on/)
  })

  test('is not taken when it was meant for npm; the log says to start node directly', async (t) => {
    const port = await findFreePort()
    const environment = { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: `127.0.0.1:${port}` }
    const main = startMain(t, { ...environment, LISTEN_FDS: '1', LISTEN_PID: '1' })
    await main.listening()
    assert.match(
      main.stdout(),
      /"level":"warn".*passed a socket to process 1, .*start .*node dist\/main\.js.* direct/,
    )
    assert.equal((await getVerdict({ port })).status, 200)
  })
})
