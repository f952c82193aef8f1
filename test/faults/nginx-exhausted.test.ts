import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { type Nginx, type NginxOptions, startNginx } from '../support/nginx.ts'
import { isLong } from '../support/rounds.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const BAD = 6
/** More than nginx may have open in any of these cases. */
const DOWNLOADS = 140

/** What slow downloads of an open file use up, and how the error log names it. */
const shortages: readonly (readonly [what: string, nginx: Partial<NginxOptions>, complaint: RegExp])[] = [
  ['connections', { connections: 128 }, /worker_connections are not enough$/m],
  ['descriptors', { main: 'worker_rlimit_nofile 100;' }, /\(24: Too many open files\)/],
]

interface Setup {
  readonly shortage: (typeof shortages)[number]
  readonly way: 'TCP' | 'a Unix socket'
  readonly verdictCache: boolean
}

const setups = shortages.flatMap((shortage) =>
  (['TCP', 'a Unix socket'] as const).flatMap((way) =>
    [false, true].map((verdictCache): Setup => ({ shortage, way, verdictCache })),
  ),
)
/** One of each shortage, one over each way; in `npm run test:long` all. */
const tried = setups.filter((_, n) => isLong || n === 0 || n === setups.length - 1)

describe('a healthy gate is not taken for a dead one by an nginx that is out of', () => {
  for (const { shortage, way, verdictCache } of tried) {
    const [what, limits, complaint] = shortage
    const cached = verdictCache ? ', with the verdict cache' : ''
    test(`${what}: bad tokens stay refused under on-failure-allow (${way}${cached})`, async (t) => {
      const backend = await startBackend(t)
      backend.answer = hasToken('good')
      const path = join(makeTemporaryFolder(t), 'gate.sock')
      const LISTEN = way === 'TCP' ? '127.0.0.1:0' : `unix:${path}`
      const gate = await startGate(t, { BACKEND_URL: backend.url, LISTEN })
      const nginx = await startNginx(t, {
        gates: [way === 'TCP' ? gate.address : LISTEN],
        onFailure: 'allow',
        verdictCache,
        // A protected request needs no descriptor of its own: only the verdict can fail.
        server: 'location / { LOCATION empty_gif; } location /open/ { }',
        files: { '/open/film.mp4': 'x'.repeat(20_000_000) },
        ...limits,
      })
      const begun = await Promise.all(Array.from({ length: BAD }, () => begin(t, nginx)))
      await useUp(t, nginx, complaint)
      const statuses = await Promise.all(begun.map((complete) => complete()))
      t.diagnostic(`${BAD} bad tokens: ${statuses.join(' ')}`)
      assert.deepEqual(
        statuses.filter((status) => status < 300 && status !== 0),
        [],
      )
      assert.ok(statuses.includes(500), 'nginx could ask about all of them: nothing was shown')
      // As docs/failure.md says.
      const failed = nginx.accessLog().filter((line) => line.includes('" 500 '))
      for (const line of failed) assert.match(line, / verdict= source=nginx reason= /)
      assert.doesNotMatch(nginx.accessLog().join('\n'), /reason=gate-unavailable/)
    })
  }
})

/**
 * A request with a bad token and without the end of its head. The result sends the end and resolves with the
 * status.
 */
async function begin(t: TestContext, nginx: Nginx): Promise<() => Promise<number>> {
  const socket = await open(t, nginx)
  socket.write(`GET /1.gif?token=bad HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`)
  return () =>
    new Promise((resolve, reject) => {
      let answer = ''
      socket.setEncoding('latin1')
      socket.on('data', (text: string) => {
        answer += text
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)))
      socket.write(`User-Agent: ${newViewer()}\r\n\r\n`)
    })
}

/** Downloads of a large file that nobody reads, one after the other, until nginx complains. */
async function useUp(t: TestContext, nginx: Nginx, complaint: RegExp): Promise<void> {
  const complains = (): boolean => complaint.test(nginx.errorLog())
  for (let count = 0; count < DOWNLOADS && !complains(); count++) {
    const socket = await open(t, nginx)
    let isServed = false
    for (const event of ['readable', 'close']) {
      socket.on(event, () => {
        isServed = true
      })
    }
    socket.write('GET /open/film.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until('a download to begin', () => isServed || complains())
  }
  assert.ok(complains(), `${DOWNLOADS} downloads are not enough`)
}

function open(t: TestContext, nginx: Nginx): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(nginx.port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject) // and later on heard by nobody: nginx may cut a download
    t.after(() => void socket.destroy())
  })
}
