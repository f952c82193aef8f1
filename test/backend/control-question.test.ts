import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Asked, type Backend, startBackend } from '../support/backend.ts'
import { patientTest } from '../support/patient-test.ts'
import { startWatchedGate, type WatchedGate } from '../support/readiness.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

const isControl = ({ target }: Asked): boolean => !target.includes('token=')

/** What a question with `token=evil` does to the backend. */
type Effect = (response: ServerResponse, asked: Asked) => void

interface Site {
  readonly backend: Backend
  readonly gate: WatchedGate
  /** How the question of this client ends: `403 gate question-refused`. */
  ask(token: string, address?: string): Promise<string>
}

/** A backend that allows `token=good…`, denies the rest, and fails at `token=evil…`. */
async function startSite(scope: Scope, evil: Effect, environment: Environment = {}): Promise<Site> {
  const backend = await startBackend(scope)
  backend.answer = (asked, response) => {
    if (asked.target.includes('token=evil')) evil(response, asked)
    else response.writeHead(asked.target.includes('token=good') ? 200 : 403).end()
  }
  const gate = await startWatchedGate(scope, {
    BACKEND_URL: `${backend.url}/auth?own=1`,
    BACKEND_TIMEOUT: '400ms',
    DEFAULT_ACTION: 'allow',
    ...environment,
  })
  let viewers = 0
  return {
    backend,
    gate,
    async ask(token, address = '192.0.2.1') {
      const uri = `/live/index.m3u8?token=${token}`
      const answer = await askGate(gate.port, { uri, address, userAgent: `viewer ${viewers++}` })
      return `${answer.status} ${answer.source} ${answer.reason}`
    },
  }
}

/** Time for the control question to be answered on a busy machine, too. */
const oneSecond = { BACKEND_TIMEOUT: '1s' }
const status502 = { UNAVAILABLE_STATUS: '502 503 504' }
const failures: readonly [what: string, evil: Effect, environment: Environment][] = [
  ['reset', (response) => void response.socket?.resetAndDestroy(), {}],
  ['close', (response) => void response.socket?.destroy(), {}],
  ['garbage', (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'), {}],
  ['502, which counts as unavailable', (response) => void response.writeHead(502).end(), status502],
]

describe('a question that makes a healthy backend fail', () => {
  for (const [what, evil, environment] of failures) {
    test(`by a ${what}: it is refused, with DEFAULT_ACTION=allow too, and the breaker knows nothing of it`, async (t) => {
      const { ask, backend, gate } = await startSite(t, evil, environment)
      for (let n = 0; n < 30; n++)
        assert.equal(await ask(`evil${n}`, `198.51.${n}.1`), '403 gate question-refused')
      assert.equal((await gate.backend()).breaker, 'closed')
      assert.equal((await gate.backend()).state, 'unasked')
      assert.equal(await ask('good', '203.0.113.1'), '200 backend backend-200')
      const evilOnes = backend.asked.filter(({ target }) => target.includes('evil'))
      // One question may use a connection on which the backend has answered before. That looks like a
      // connection closed while idle, so it is sent again.
      assert.ok(evilOnes.length >= 60 && evilOnes.length <= 62, `each is asked once more: ${evilOnes.length}`)
    })

    test(`by a ${what}, once: what it answers then counts`, async (t) => {
      let times = 0
      const once: Effect = (response, asked) => {
        if (times++ === 0) evil(response, asked)
        else response.writeHead(200).end()
      }
      const { ask } = await startSite(t, once, environment)
      assert.equal(await ask('evil'), '200 backend backend-200')
    })

    test(`by a ${what}: a playing viewer is not cut for it`, async (t) => {
      let isEvil = false
      const later: Effect = (response, asked) => {
        if (isEvil) evil(response, asked)
        else response.writeHead(200).end()
      }
      const { gate } = await startSite(t, later, { ALLOW_TTL: '100ms', ...environment })
      assert.equal((await askGate(gate.port, { uri: '/live/index.m3u8?token=evil' })).reason, 'backend-200')
      isEvil = true
      await delay(150)
      for (let n = 0; n < 5; n++) {
        assert.equal((await askGate(gate.port, { uri: `/live/${n}.ts` })).status, 200)
        await delay(50)
      }
      await until('the re-check', async () =>
        (await askGate(gate.port, { uri: '/live/x.ts' })).reason.startsWith('unavailable-'),
      )
    })
  }

  patientTest('by silence: it is refused where others were answered within ten seconds', async (t) => {
    const { ask, gate } = await startSite(t, () => {}, oneSecond)
    await ask('good', '203.0.113.1')
    assert.equal(await ask('evil'), '403 gate question-refused')
    assert.equal((await gate.backend()).breaker, 'closed')
  })

  patientTest(
    'by silence, where nobody else was answered: it is unavailable, and one network opens no breaker by it',
    async (t) => {
      const { ask, gate } = await startSite(t, () => {}, oneSecond)
      const all = Array.from({ length: 12 }, (_, n) => ask(`evil${n}`, `2001:db8:0:${n}::1`))
      assert.deepEqual(new Set(await Promise.all(all)), new Set(['200 default unavailable-timeout']))
      assert.equal((await gate.backend()).breaker, 'closed')
    },
  )

  patientTest('by silence, beside an answer to a request without a token: that says nothing', async (t) => {
    const { ask, gate } = await startSite(t, () => {})
    const scanner = await askGate(gate.port, { uri: '/live/index.m3u8', address: '203.0.113.1' })
    assert.equal(scanner.reason, 'backend-403')
    assert.equal(await ask('evil'), '200 default unavailable-timeout')
  })
})

patientTest('a control question on its way does not hide the answer to the one before', async (t) => {
  const { ask, backend } = await startSite(t, () => {}, oneSecond)
  const answer = backend.answer
  backend.answer = (asked, response, request) => void setTimeout(() => answer(asked, response, request), 100)
  // Others are answered. Silent questions end at every moment of the second between two control questions.
  const others = Array.from({ length: 10 }, (_, n) => ask('good', `203.0.${n}.1`))
  await Promise.all(others)
  const silent: Promise<string>[] = []
  for (let n = 0; n < 12; n++) {
    silent.push(ask(`evil${n}`))
    await delay(90)
  }
  assert.deepEqual(new Set(await Promise.all(silent)), new Set(['403 gate question-refused']))
})

describe('an outage is none of a question', () => {
  for (const [what, evil, environment] of failures) {
    test(`everything is answered by a ${what}: unavailable`, async (t) => {
      const { ask, backend } = await startSite(t, evil, environment)
      backend.answer = (asked, response) => evil(response, asked)
      for (const token of ['evil', 'good', 'bad']) {
        const came = await ask(token)
        assert.match(came, /^200 default unavailable-(?:reset|closed|not-http|status)$/)
      }
    })
  }

  test('a script refuses at once who brings no token, over a database that is away: unavailable by the second failure', async (t) => {
    const { ask, backend } = await startSite(t, () => {}, status502)
    await ask('good', '203.0.113.1')
    backend.answer = ({ target }, response) => response.writeHead(target.includes('token') ? 503 : 403).end()
    // Viewers whose questions were answered before still count for the first questions.
    const came: string[] = []
    for (let n = 0; n < 4; n++) came.push(await ask('good', `198.51.${n}.1`))
    assert.deepEqual(came.slice(1), Array(3).fill('200 default unavailable-status'))
  })
})

describe('the control question', () => {
  test('holds nothing of the client', async (t) => {
    const { ask, backend } = await startSite(t, (response) => void response.socket?.destroy())
    await ask('evil')
    const [control] = backend.controls
    assert.equal(control?.target, '/auth?own=1')
    assert.deepEqual(control?.headers, {
      host: control?.headers['host'],
      connection: 'keep-alive',
      Accept: '*/*',
      'X-Session-Id': 'alta-auth-control',
      'X-Real-Path': '/',
      'X-Real-Ua': 'alta-auth-control',
    })
  })

  test('is asked once a second at most, and its answer counts for all meanwhile', async (t) => {
    const { ask, backend } = await startSite(t, (response) => void response.socket?.destroy())
    const began = performance.now()
    let asked = 0
    while (performance.now() - began < 2_300) {
      await Promise.all(Array.from({ length: 10 }, (_, n) => ask(`evil${asked++}`, `198.51.${n}.1`)))
    }
    assert.ok(asked > 50)
    assert.ok(
      backend.controls.length >= 2 && backend.controls.length <= 3,
      `${backend.controls.length} in 2.3 s`,
    )
  })

  test('is not asked while the breaker is open', async (t) => {
    const { ask, backend, gate } = await startSite(t, () => {})
    backend.answer = () => {}
    await Promise.all(Array.from({ length: 12 }, (_, n) => ask('good', `198.${n}.0.1`)))
    assert.equal((await gate.backend()).breaker, 'open')
    const before = backend.controls.length
    await delay(1_100)
    for (let n = 0; n < 10; n++) await ask('good', `198.${n}.0.1`)
    assert.equal(backend.controls.length, before)
  })

  test('is never a verdict: it is allowed, and the question stays refused', async (t) => {
    const { ask, backend } = await startSite(t, () => {})
    backend.answer = (asked, response) => {
      if (isControl(asked)) response.writeHead(200).end()
      else response.socket?.destroy()
    }
    assert.equal(await ask('evil'), '403 gate question-refused')
  })

  test('keeps within the deadline', async (t) => {
    const { gate, backend } = await startSite(t, () => {})
    backend.answer = (asked, response) => {
      if (!isControl(asked)) response.socket?.destroy()
    }
    const { took, reason } = await askGate(gate.port, { uri: '/live/index.m3u8?token=x' })
    assert.equal(reason, 'unavailable-closed')
    assert.ok(took < 700, `${took} ms`)
  })
})
