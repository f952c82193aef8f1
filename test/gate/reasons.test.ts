import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { Environment } from '../../src/config/read-settings.ts'
import { createGate } from '../../src/gate/gate.ts'
import { createGateServer } from '../../src/gate/server.ts'
import { sentenceOf } from '../../src/reason-sentences.ts'
import { type Reason, unavailableReasons } from '../../src/verdict.ts'
import { startBackend, status } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { readPage } from '../support/documentation/pages.ts'
import { faults } from '../support/faults.ts'
import { startGate } from '../support/gate.ts'
import { holdAnswers } from '../support/hold-answers.ts'
import { getVerdict } from '../support/http-get.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { type Scope, suiteScope } from '../support/scope.ts'
import { scrape } from '../support/scrape.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { untilLogged } from '../support/until-logged.ts'

const PLAYLIST = '/live/news/index.m3u8?token=1'

/** One nginx for all gates, which listen on the same Unix socket one after the other. */
let site: { readonly LISTEN: string; readonly nginx: Nginx }

async function startShared(scope: Scope): Promise<typeof site> {
  const LISTEN = `unix:${join(makeTemporaryFolder(scope), 'gate.sock')}`
  return { LISTEN, nginx: await startNginx(scope, { gates: [LISTEN] }) }
}

/** A gate with these settings behind nginx, and a viewer of its own. */
async function startSiteWith(scope: Scope, environment: Environment) {
  const { LISTEN, nginx } = site
  const gate = await startGate(scope, { BACKEND_TIMEOUT: '1s', LISTEN, ...environment })
  const userAgent = newViewer()
  const get = (target: string) => request({ port: nginx.port, target, headers: [`User-Agent: ${userAgent}`] })
  /** Other viewers ask at the same moment, each from an address of its own. */
  const askFrom = (address: string, userAgent = 'test') =>
    getVerdict({ socketPath: LISTEN.slice('unix:'.length) }, { address, userAgent })
  const ends = (reason: string) => untilLogged(nginx, new RegExp(` reason=${reason} .*"${userAgent}"$`, 'm'))
  return { gate, get, askFrom, ends }
}

async function startAnswering(scope: Scope, code: number, more: Environment = {}) {
  const backend = await startBackend(scope)
  backend.answer = status(code)
  return { backend, ...(await startSiteWith(scope, { BACKEND_URL: backend.url, ...more })) }
}

function withStore(scope: Scope): Record<string, string> {
  return { STATE_URL: `file:${makeTemporaryFolder(scope)}/state` }
}

/** A backend that holds its answers back, with room for four questions. */
async function startHeld(scope: Scope) {
  const site = await startAnswering(scope, 200, { BACKEND_CONCURRENCY: '4', BACKEND_TIMEOUT: '2s' })
  return { ...site, ...holdAnswers(site.backend) }
}

/** Causes one reason as a viewer does, and finds it in nginx's access log. */
type Way = (scope: Scope, reason: string) => Promise<unknown>

const asked =
  (code: number, more: Environment = {}): Way =>
  async (scope, reason) => {
    const { get, ends } = await startAnswering(scope, code, more)
    await get(PLAYLIST)
    await ends(reason)
  }

const failing: Way = async (scope, reason) => {
  const fault = faults.find((one) => `unavailable-${one.reason}` === reason)
  assert.ok(fault !== undefined, `no fault for ${reason}`)
  const { get, ends } = await startSiteWith(scope, { BACKEND_URL: await fault.start(scope) })
  await get(PLAYLIST)
  await ends(reason)
}

const ways: Readonly<Record<string, Way>> = {
  'backend-200': asked(200),
  'backend-403': asked(403),
  async riding(scope, reason) {
    const { get, ends } = await startAnswering(scope, 200)
    await get(PLAYLIST)
    await get('/live/news/1.ts')
    await ends(reason)
  },
  async remembered(scope, reason) {
    const { get, ends } = await startAnswering(scope, 403)
    await get(PLAYLIST)
    await get(PLAYLIST)
    await ends(reason)
  },
  async adopted(scope, reason) {
    const settings = withStore(scope)
    const { backend, gate, get, ends } = await startAnswering(scope, 200, settings)
    await get(PLAYLIST)
    await gate.service.stop()
    await startGate(scope, { BACKEND_URL: backend.url, LISTEN: site.LISTEN, ...settings })
    await get('/live/news/1.ts')
    await ends(reason)
  },
  async resumed(scope, reason) {
    const settings = { ...withStore(scope), SESSION_IDLE: '1s', ADMIN_LISTEN: '127.0.0.1:0' }
    const { gate, get, ends } = await startAnswering(scope, 200, settings)
    await get(PLAYLIST)
    await until(
      'the session to be silent',
      async () => (await scrape(gate.adminPort)).value('alta_auth_sessions', { kind: 'live' }) === 0,
      30_000,
    )
    await get('/live/news/1.ts')
    await ends(reason)
  },
  async 'session-limit'(scope, reason) {
    const { backend, askFrom, get, ends } = await startAnswering(scope, 200)
    backend.answer = (_asked, response) =>
      void response.writeHead(200, { 'X-UserId': '7', 'X-Max-Sessions': '1', 'X-Unique': 'true' }).end()
    await get(PLAYLIST)
    await askFrom('198.51.100.1')
    await get('/live/news/1.ts')
    await ends(reason)
  },
  async 'bad-request'(scope, reason) {
    const { get, ends } = await startAnswering(scope, 200)
    await get(`/live/news/index.m3u8?${'a=1&'.repeat(600)}`)
    await ends(reason)
  },
  async 'too-many-questions'(scope, reason) {
    const { backend, get, askFrom, ends } = await startHeld(scope)
    // The control question is answered, so the backend works.
    const held: ServerResponse[] = []
    backend.answer = ({ target }, response) => {
      if (target.includes('token')) held.push(response)
      else response.end()
    }
    const crowd = Array.from({ length: 4 }, (_, n) => askFrom(`198.51.${n}.1`))
    await until('four questions', () => held.length === 4)
    await get(PLAYLIST)
    await ends(reason)
    for (const response of held) response.end()
    await Promise.all(crowd)
  },
  async 'question-refused'(scope, reason) {
    const { backend, get, ends } = await startAnswering(scope, 200)
    backend.answer = ({ target }, response) => {
      if (target.includes('token')) response.socket?.destroy()
      else response.end()
    }
    await get(PLAYLIST)
    await ends(reason)
  },
  'unavailable-timeout': failing,
  'unavailable-refused': failing,
  'unavailable-reset': failing,
  'unavailable-closed': failing,
  'unavailable-dns': failing,
  'unavailable-tls': failing,
  'unavailable-not-http': failing,
  'unavailable-status': asked(502, { UNAVAILABLE_STATUS: '502' }),
  async 'unavailable-breaker'(scope, reason) {
    const { backend, askFrom, get, ends } = await startAnswering(scope, 200)
    await backend.stop()
    let viewers = 0
    await until('the breaker to open', async () => {
      const address = `198.51.${viewers++ % 250}.1`
      return (await askFrom(address, newViewer())).headers['x-auth-reason'] === reason
    })
    await get(PLAYLIST)
    await ends(reason)
  },
  async 'unavailable-overload'(scope, reason) {
    const { held, release, get, askFrom, ends } = await startHeld(scope)
    const crowd = Array.from({ length: 12 }, (_, n) => askFrom(`198.51.${n}.1`))
    await until('four questions', () => held.length === 4)
    await get(PLAYLIST)
    await ends(reason)
    release()
    await Promise.all(crowd)
  },
  async 'unavailable-internal'(scope, reason) {
    const gate = createGate({
      decide: () => {
        throw new Error('on purpose')
      },
      defaultAction: 'deny',
      isClosing: () => false,
      nginxTtl: 0,
      onAnswered: () => {},
      onRepeated: () => {},
      onRefused: () => {},
      onInternalError: () => {},
    })
    const server = createGateServer(gate, () => {})
    await new Promise<void>((resolve) => server.listen(site.LISTEN.slice('unix:'.length), resolve))
    scope.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
    await request({ port: site.nginx.port, target: PLAYLIST })
    await untilLogged(site.nginx, new RegExp(` reason=${reason} `))
  },
  async 'control-bytes'(scope, reason) {
    const { get, ends } = await startAnswering(scope, 200)
    await get('/live/%0d%0a.ts')
    await ends(reason)
  },
  async 'gate-unavailable'(scope, reason) {
    const { gate, get, ends } = await startAnswering(scope, 200)
    await gate.service.stop()
    await get(PLAYLIST)
    await ends(reason)
  },
}

/** The rows of the page: reason, verdict, meaning, remedy. */
const rows = readPage('docs/troubleshooting.md')
  .prose.split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, reason = '']) => /^`[a-z-]+\d*`$/.test(reason) && reason.slice(1, -1) in ways)

describe('each reason is reached by a viewer, stands in the access log, and has its row on the page', () => {
  const scope = suiteScope()
  before(async () => {
    site = await startShared(scope)
  })

  for (const [reason, reach] of Object.entries(ways)) {
    test(reason, async (t) => {
      await reach(t, reason)
      const row = rows.find(([, first]) => first === `\`${reason}\``)
      assert.ok(row !== undefined, `docs/troubleshooting.md tells of ${reason}`)
      const [, , , meaning = '', remedy = ''] = row
      assert.notEqual(meaning, '')
      if (reason !== 'backend-200') assert.notEqual(remedy, '')
    })
  }

  test('these are all of them', () => {
    const { prose } = readPage('docs/troubleshooting.md')
    const section = prose.split(/^## /m).find((one) => one.startsWith('Reasons\n')) ?? ''
    const named = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, reason = '']) => reason)
    assert.deepEqual(Object.keys(ways).sort(), named.sort())
    for (const reason of unavailableReasons) assert.ok(`unavailable-${reason}` in ways, reason)
  })

  test('an explanation has a clause of its own for each that the gate gives', () => {
    const ofGate = Object.keys(ways).filter((one) => one !== 'control-bytes' && one !== 'gate-unavailable')
    const clauses = ofGate.map((reason) => sentenceOf(reason as Reason))
    assert.equal(new Set(clauses).size, ofGate.length)
    for (const clause of clauses) assert.match(clause, /^[a-z].{10,}$/)
  })
})
