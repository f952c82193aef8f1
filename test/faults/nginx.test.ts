import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { before, describe, type TestContext, test } from 'node:test'
import { type Backend, startBackend } from '../support/backend.ts'
import { type Crowd, failuresOf, startCrowd } from '../support/crowd.ts'
import { findFreePort } from '../support/free-port.ts'
import { get } from '../support/http-get.ts'
import { type Main, startMain } from '../support/main-process.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { rounds } from '../support/rounds.ts'
import { suiteScope } from '../support/scope.ts'
import { newViewer } from '../support/site.ts'
import { until } from '../support/until.ts'
import { createViewer } from '../support/viewer.ts'

const ABORTS = rounds(1_000, 10_000)
/** Viewers who leave while the backend is being asked. */
const LEAVERS = 64
/** Viewers who at once abort so many requests before they ask for one that they wait for. */
const TOGETHER = 32
const IN_A_ROW = 8
const RELOADS = rounds(3, 5)
const KILLS = rounds(3, 5)
/** Descriptors that may come and go by themselves. */
const MARGIN = 4

interface Readiness {
  readonly internalErrors: number
  readonly backends: readonly [{ readonly inFlight: number; readonly waiting: number }]
}

describe('the gate is unharmed by', () => {
  const scope = suiteScope()
  let backend: Backend
  let port: number
  let adminPort: number
  let gate: Main
  let nginx: Nginx
  let wasOpen: number
  /** Answers that the backend keeps for later. */
  let held: (() => void)[] | undefined
  before(async () => {
    backend = await startBackend(scope)
    backend.answer = ({ target }, response) => {
      backend.asked.length = 0
      const answer = () => void response.writeHead(target.endsWith('token=good') ? 200 : 403).end()
      if (held !== undefined) held.push(answer)
      // Late enough for a viewer to have gone meanwhile.
      else setTimeout(answer, 2)
    }
    port = await findFreePort()
    adminPort = await findFreePort()
    gate = startMain(scope, {
      BACKEND_URL: backend.url,
      BACKEND_CONCURRENCY: '512',
      // Longer than any answer is held, however busy the machine.
      BACKEND_TIMEOUT: '30s',
      LISTEN: `127.0.0.1:${port}`,
      ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      LOG_LEVEL: 'warn',
    })
    await until('the gate', () =>
      readiness().then(
        () => true,
        () => false,
      ),
    )
    nginx = await startNginx(scope, { gates: [`127.0.0.1:${port}`] })
    await assertRealVerdicts(scope)
    wasOpen = openFiles()
  })

  const readiness = async (): Promise<Readiness> =>
    JSON.parse((await get({ port: adminPort }, '/readyz')).body) as Readiness

  const openFiles = (): number => readdirSync(`/proc/${gate.pid}/fd`).length

  const assertRealVerdicts = async (t: Pick<TestContext, 'after'>): Promise<void> => {
    assert.equal(await createViewer(t, nginx).get('/index.m3u8?token=good'), 200)
    assert.equal(await createViewer(t, nginx).get('/index.m3u8?token=bad'), 403)
  }

  /** No question is under way, no internal error happened, and only kept-alive connections are open. */
  const assertUnharmed = async (t: TestContext, keptAlive = 0): Promise<void> => {
    await assertRealVerdicts(t)
    await until('all questions to end', async () => {
      const { inFlight, waiting } = (await readiness()).backends[0]
      return inFlight + waiting === 0
    })
    assert.equal((await readiness()).internalErrors, 0)
    const most = wasOpen + keptAlive + MARGIN
    await until('connections to close', () => openFiles() <= most, 15_000).catch(() => {})
    assert.ok(openFiles() <= most, `${openFiles()} open files, ${wasOpen} before`)
    assert.doesNotMatch(gate.stdout(), /"level":"error"/)
    assert.equal(gate.stderr(), '')
  }

  /** Sends the request of a new viewer, and leaves before the answer. */
  const abort = (number: number): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port: nginx.port, host: '127.0.0.1', localAddress: `127.0.2.${number % 250}` })
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      const token = number % 3 === 0 ? 'bad' : 'good'
      const head = `GET /index.m3u8?token=${token} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${newViewer()}\r\n`
      // Some within the head, some at once after it, some while the backend is being asked.
      const rest = number % 10 === 0 ? '' : '\r\n'
      socket.write(`${head}${rest}`, () => {
        if (number % 2 === 0) socket.destroy()
        else setTimeout(() => socket.resetAndDestroy(), number % 4)
      })
    })

  const abandoned = (): number => nginx.accessLog().filter((line) => / 499 /.test(line)).length

  test(`${LEAVERS} viewers who leave while the backend is being asked`, async (t) => {
    const before = abandoned()
    const answers: (() => void)[] = []
    held = answers
    const sockets = Array.from({ length: LEAVERS }, (_, number) => {
      const socket = connect({ port: nginx.port, host: '127.0.0.1', localAddress: `127.0.4.${number + 1}` })
      socket.on('error', () => {})
      socket.write(
        `GET /index.m3u8?token=good HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${newViewer()}\r\n\r\n`,
      )
      return socket
    })
    await until('all questions', () => answers.length === LEAVERS, 20_000)
    for (const socket of sockets) socket.destroy()
    await until('nginx to notice', () => abandoned() === before + LEAVERS, 20_000)
    held = undefined
    for (const answer of answers) answer()
    await assertUnharmed(t, LEAVERS)
  })

  test(`${ABORTS} viewers who are gone before they are answered`, async (t) => {
    const before = abandoned()
    let next = 0
    const answers: number[] = []
    const leave = async (): Promise<void> => {
      while (next < ABORTS) {
        for (let count = 0; count < IN_A_ROW; count++) await abort(next++)
        answers.push(await createViewer(t, nginx, { from: '127.0.3.1' }).get('/index.m3u8?token=good'))
      }
    }
    await Promise.all(Array.from({ length: TOGETHER }, leave))
    assert.deepEqual(new Set(answers), new Set([200]))
    t.diagnostic(
      `${next} aborts, ${abandoned() - before} of them while nginx waited for the verdict, ${answers.length} others answered`,
    )
    // What nginx keeps alive to the gate, and the gate to the backend.
    await assertUnharmed(t, 64 + TOGETHER)
  })

  const inCrowd = async (t: TestContext, act: (crowd: Crowd) => Promise<void>): Promise<Crowd> => {
    const crowd = startCrowd(t, nginx, { userAgent: newViewer() })
    await act(crowd)
    await served(crowd)
    return crowd
  }
  const served = (crowd: Crowd): Promise<void> => {
    const enough = crowd.ended() + rounds(200, 500)
    return until('requests', () => crowd.ended() > enough)
  }
  const masterPid = (): number => nginx.child.process.pid ?? 0
  const workerPids = (): string =>
    readFileSync(`/proc/${masterPid()}/task/${masterPid()}/children`, 'utf8').trim()

  test(`${RELOADS} reloads of nginx under load, and no request fails`, async (t) => {
    const crowd = await inCrowd(t, async (crowd) => {
      for (let reload = 0; reload < RELOADS; reload++) {
        await served(crowd)
        const before = workerPids().split(' ')
        process.kill(masterPid(), 'SIGHUP')
        await until('the next worker', () =>
          workerPids()
            .split(' ')
            .some((pid) => !before.includes(pid)),
        )
      }
    })
    const { 'sent again': again = 0, ...tally } = await crowd.leave()
    t.diagnostic(`${RELOADS} reloads, ${crowd.ended()} requests, ${again} sent again on a new connection`)
    assert.deepEqual(failuresOf(tally), {})
    await assertUnharmed(t, 64 + TOGETHER)
  })

  test(`${KILLS} times kill -9 of nginx's worker under load`, async (t) => {
    const crowd = await inCrowd(t, async (crowd) => {
      for (let kill = 0; kill < KILLS; kill++) {
        await served(crowd)
        const worker = workerPids()
        execFileSync('kill', ['-9', ...worker.split(' ')])
        await until('the next worker', () => workerPids() !== worker && workerPids() !== '')
      }
    })
    const tally = await crowd.leave()
    t.diagnostic(`${KILLS} kills, ${crowd.ended()} requests: ${JSON.stringify(tally)}`)
    const wrong = Object.keys(failuresOf(tally)).filter((what) => /\d{3}$/.test(what))
    assert.deepEqual(wrong, [], 'what is answered is the verdict')
    await assertUnharmed(t, 64 + TOGETHER)
  })

  test('kill -9 of all of nginx under load', async (t) => {
    const crowd = startCrowd(t, nginx, { userAgent: newViewer() })
    await served(crowd)
    execFileSync('kill', ['-9', String(masterPid()), ...workerPids().split(' ')])
    await nginx.child.exited
    await crowd.leave()
    nginx = await startNginx(scope, { gates: [`127.0.0.1:${port}`] })
    await assertUnharmed(t, TOGETHER)
  })
})
