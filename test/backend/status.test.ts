import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { startSite } from '../support/site.ts'
import { until } from '../support/until.ts'

const everyStatus = Array.from({ length: 400 }, (_, index) => 200 + index)
const target = '/channel/index.m3u8'

interface Seen {
  /** What the viewer got. */
  readonly viewer: number
  /** `source=… reason=…` of the access log. */
  readonly told: string
}

/**
 * Plays once per backend status, each time as another viewer with another token, so that nothing is
 * remembered.
 */
async function playEveryStatus(backend: Backend, nginx: Nginx): Promise<Map<number, Seen>> {
  const viewers = new Map<number, number>()
  for (const code of everyStatus) {
    backend.answer = status(code)
    const headers = [`User-Agent: viewer-${code}`]
    const answer = await request({ port: nginx.port, target: `${target}?token=${code}`, headers })
    viewers.set(code, answer.status)
  }
  // A status that counts as unavailable is asked about once more only when the control question gets another
  // answer.
  assert.equal(backend.asked.length, everyStatus.length, 'each status is a question of its own')
  await until('the log', () => nginx.accessLog().length === everyStatus.length)
  const seen = new Map<number, Seen>()
  for (const line of nginx.accessLog()) {
    const parts = / (source=\S+ reason=\S+) .*"viewer-(\d+)"$/.exec(line)
    const code = Number(parts?.[2])
    seen.set(code, { viewer: viewers.get(code) ?? 0, told: parts?.[1] ?? '' })
  }
  return seen
}

for (const defaultAction of ['allow', 'deny']) {
  describe(`every status from 200 to 599, through nginx, DEFAULT_ACTION=${defaultAction}`, () => {
    const scope = suiteScope()
    let seen: Map<number, Seen>
    before(async () => {
      const backend = await startBackend(scope)
      const gate = await startGate(scope, { BACKEND_URL: backend.url, DEFAULT_ACTION: defaultAction })
      const nginx = await startNginx(scope, { gates: [gate.address], files: { [target]: '#EXTM3U\n' } })
      seen = await playEveryStatus(backend, nginx)
    })

    test('exactly 200 lets the viewer in; every other status is a 403', () => {
      for (const code of everyStatus) {
        assert.equal(seen.get(code)?.viewer, code === 200 ? 200 : 403, `backend status ${code}`)
      }
    })

    test('the reason names the status', () => {
      for (const code of everyStatus)
        assert.equal(seen.get(code)?.told, `source=backend reason=backend-${code}`)
    })
  })

  describe(`UNAVAILABLE_STATUS=502 503 504, through nginx, DEFAULT_ACTION=${defaultAction}`, () => {
    const named = [502, 503, 504]
    const scope = suiteScope()
    let seen: Map<number, Seen>
    before(async () => {
      const backend = await startBackend(scope)
      const gate = await startGate(scope, {
        BACKEND_URL: backend.url,
        DEFAULT_ACTION: defaultAction,
        UNAVAILABLE_STATUS: named.join(' '),
      })
      const nginx = await startNginx(scope, { gates: [gate.address], files: { [target]: '#EXTM3U\n' } })
      seen = await playEveryStatus(backend, nginx)
    })

    test('exactly these become the default action', () => {
      for (const code of named) {
        const viewer = defaultAction === 'allow' ? 200 : 403
        assert.deepEqual(seen.get(code), { viewer, told: 'source=default reason=unavailable-status' })
      }
    })

    test('every other status is the verdict that it was', () => {
      for (const code of everyStatus.filter((one) => !named.includes(one))) {
        const viewer = code === 200 ? 200 : 403
        assert.deepEqual(seen.get(code), { viewer, told: `source=backend reason=backend-${code}` })
      }
    })
  })
}

describe('a backend that redirects', () => {
  const elsewhere = forSuite((scope) =>
    startRawBackend(scope, (socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }),
  )
  const site = forSuite((scope) =>
    startSite(scope, {
      environment: { DEFAULT_ACTION: 'allow' },
      nginx: { files: { [target]: '#EXTM3U\n' } },
    }),
  )
  for (const code of [300, 301, 302, 303, 305, 307, 308]) {
    test(`${code} with a Location is a deny, and nobody goes there`, async () => {
      site.backend.answer = status(code, {
        Location: `${elsewhere.url}/auth?token=1`,
        Refresh: `0; ${elsewhere.url}`,
      })
      const headers = [`User-Agent: redirected-${code}`]
      const answer = await request({ port: site.nginx.port, target: `${target}?token=1`, headers })
      assert.equal(answer.status, 403)
      assert.doesNotMatch(answer.head, /^location:/im)
      assert.equal(elsewhere.connections(), 0)
    })
  }
})
