import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import type { SessionPage } from '../../src/admin/sessions-desk.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import type { SessionView } from '../../src/session/session-view.ts'
import { type AdminAnswer, type AdminGate, askAdmin, startAdminGate } from '../support/admin-gate.ts'
import { askGate, type GateQuestion } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { findFreePort } from '../support/free-port.ts'
import { patientTest } from '../support/patient-test.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { type Site, startSite } from '../support/site.ts'
import { watchStalls } from '../support/stalls.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer } from '../support/viewer.ts'

/** Sends the name in the token as the user. Denies without a token. */
const byToken: Backend['answer'] = ({ target }, response) => {
  const user = /[?&]token=([^&]*)/.exec(target)?.[1]
  response.writeHead(user === undefined ? 403 : 200, { 'X-UserId': decodeURIComponent(user ?? '') }).end()
}

async function pageOf({ admin }: Pick<AdminGate, 'admin'>, query: string): Promise<SessionPage> {
  const answer = await admin(`GET /sessions${query}`)
  assert.equal(answer.status, 200, answer.body)
  return answer.json as SessionPage
}

const idsOf = ({ sessions }: SessionPage): string[] => sessions.map(({ session }) => session)

/**
 * Opens sessions, some at a time. Each has an address of its own, so that no share of an address is used up.
 */
async function openMany(port: number, count: number, first = 0): Promise<void> {
  const question = (n: number): GateQuestion => ({
    uri: `/live/ch${n % 50}/index.m3u8?token=user-${n % 7}`,
    address: `198.51.${n >> 8}.${n & 255}`,
  })
  for (let n = first; n < first + count; n += 20)
    await Promise.all(
      Array.from({ length: Math.min(20, first + count - n) }, (_, more) => askGate(port, question(n + more))),
    )
}

describe('the list of sessions', () => {
  test('tells who watches what since when, and no token', async (t) => {
    const backend = await startBackend(t)
    backend.answer = byToken
    const site = await startAdminGate(t, { BACKEND_URL: backend.url, CHANNEL_PATTERN: '^/live/([^/]+)/' })
    const began = Date.now()
    const { sessionId } = await askGate(site.gate.port, {
      uri: '/live/news/index.m3u8?token=SECRET&x=1',
      userAgent: 'VLC/3.0.21 LibVLC/3.0.21',
      playbackId: 'playback-1',
      origin: 'https://live.example.com',
    })
    await askGate(site.gate.port, {
      uri: '/live/news/1.ts',
      userAgent: 'VLC/3.0.21 LibVLC/3.0.21',
      playbackId: 'playback-1',
      origin: 'https://live.example.com',
    })
    const answer = await site.admin('GET /sessions')
    const { sessions, ...rest } = answer.json as SessionPage
    assert.deepEqual(rest, { next: null, total: 1 })
    const [{ start, lastRequest, recheck, ...session } = {} as SessionView] = sessions
    assert.deepEqual(session, {
      session: sessionId,
      user: 'SECRET',
      channel: 'news',
      address: '192.0.2.1',
      origin: 'https://live.example.com',
      path: '/live/news/index.m3u8',
      userAgent: 'VLC/3.0.21 LibVLC/3.0.21',
      playbackId: 'playback-1',
      provisional: false,
      requests: 2,
      unavailable: null,
      part: 1,
      came: 'opened',
      plays: null,
      limit: null,
    })
    for (const time of [start, lastRequest, recheck ?? ''])
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.ok(Date.parse(start) >= began - 50 && Date.parse(lastRequest) >= Date.parse(start))
    assert.ok(Date.parse(recheck ?? '') > Date.parse(start))
    assert.doesNotMatch(answer.body, /token|x=1/)
    const one = await site.admin(`GET /sessions/${sessionId}`)
    assert.deepEqual(one.json, sessions[0])
  })

  test('an id that nobody has is 404', async (t) => {
    const backend = await startBackend(t)
    const { admin } = await startAdminGate(t, { BACKEND_URL: backend.url })
    for (const id of ['AAAAAAAAAAAAAAAAAAAAAA', 'x', '%2e%2e', '__proto__', 'a%00b', `${'a'.repeat(4000)}`]) {
      for (const method of ['GET', 'DELETE'])
        assert.equal((await admin(`${method} /sessions/${id}`)).status, 404)
    }
  })
})

const MANY = 1_000

describe(`${MANY} sessions`, () => {
  const site = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    backend.answer = byToken
    const site = await startAdminGate(scope, {
      BACKEND_URL: backend.url,
      CHANNEL_PATTERN: '^/live/([^/]+)/',
      SESSION_IDLE: '1h',
    })
    await openMany(site.gate.port, MANY)
    return site
  })

  const readAll = async (query: string): Promise<SessionView[]> => {
    const all: SessionView[] = []
    for (let after: string | null = '', pages = 0; after !== null; pages++) {
      assert.ok(pages < 100)
      const page: SessionPage = await pageOf(site, `?${query}${after === '' ? '' : `&after=${after}`}`)
      all.push(...page.sessions)
      after = page.next
    }
    return all
  }

  test('are told page by page, the opened last first, each once', async () => {
    for (const limit of [1000, 999, 100]) {
      const all = await readAll(`limit=${limit}`)
      assert.equal(all.length, MANY)
      assert.equal(new Set(all.map(({ session }) => session)).size, MANY)
      const starts = all.map(({ start }) => start)
      assert.deepEqual(starts, starts.toSorted().reverse())
    }
    const { sessions, total, next } = await pageOf(site, '')
    assert.deepEqual([sessions.length, total, typeof next], [100, MANY, 'string'])
  })

  test('are filtered by channel, address and user, which all must match', async () => {
    assert.equal((await pageOf(site, '?channel=ch3&limit=1')).total, MANY / 50)
    assert.equal((await pageOf(site, '?user=user-3')).total, 143)
    assert.equal((await pageOf(site, '?address=198.51.1.7')).total, 1)
    const both = await readAll('channel=ch3&user=user-3&limit=2')
    assert.ok(both.length > 2)
    for (const { channel, user } of both) assert.deepEqual([channel, user], ['ch3', 'user-3'])
    assert.equal((await pageOf(site, '?address=198.51.1.7&user=user-0&channel=ch3')).total, 0)
    for (const none of ['channel=ch', 'channel=CH3', 'user=user', 'address=198.51.100.1', 'channel=ch3%20'])
      assert.equal((await pageOf(site, `?${none}`)).total, 0, none)
  })

  test('all of one user are closed at once, and nobody else', async () => {
    const { total } = await pageOf(site, '')
    const { total: of5 } = await pageOf(site, '?user=user-5')
    const { total: of5on1 } = await pageOf(site, '?user=user-5&channel=ch1')
    assert.ok(of5on1 > 0 && of5on1 < of5 && of5 < total)
    assert.deepEqual((await site.admin('DELETE /sessions?user=user-5&channel=ch1')).json, { closed: of5on1 })
    assert.deepEqual((await site.admin('DELETE /sessions?user=user-5')).json, { closed: of5 - of5on1 })
    assert.deepEqual((await site.admin('DELETE /sessions?user=user-5')).json, { closed: 0 })
    assert.equal((await pageOf(site, '')).total, total - of5)
    const { sessions } = (await site.admin('GET /readyz')).json as { sessions: { live: number } }
    assert.equal(sessions.live, total - of5)
  })
})

describe('a filter', () => {
  test('takes an IPv6 address however it is spelt', async (t) => {
    const backend = await startBackend(t)
    const site = await startAdminGate(t, { BACKEND_URL: backend.url })
    await askGate(site.gate.port, { address: '2001:db8::a:1' })
    for (const spelt of ['2001:db8::a:1', '2001:0DB8:0:0:0:0:000A:0001', '2001:db8:0:0::a:1'])
      assert.equal((await pageOf(site, `?address=${spelt}`)).total, 1, spelt)
    assert.deepEqual((await site.admin('DELETE /sessions?address=2001:DB8::A:1')).json, { closed: 1 })
  })

  test('takes any name of a user or a channel', async (t) => {
    const backend = await startBackend(t)
    backend.answer = status(200, { 'X-UserId': 'a+b&c=d/100%?#' })
    const site = await startAdminGate(t, { BACKEND_URL: backend.url })
    await askGate(site.gate.port, { uri: '/live/a%20b+c/index.m3u8?token=1' })
    const { sessions } = await pageOf(site, '')
    const [{ user = '', channel = '' } = {}] = sessions
    assert.equal(user, 'a+b&c=d/100%?#')
    assert.equal((await pageOf(site, `?${new URLSearchParams({ user, channel })}`)).total, 1)
    assert.deepEqual((await site.admin(`DELETE /sessions?user=${encodeURIComponent(user)}`)).json, {
      closed: 1,
    })
  })
})

async function startPlaying(
  t: Scope,
  more: Environment = {},
  verdictCache = false,
): Promise<Site & Pick<AdminGate, 'admin'>> {
  const site = await startSite(t, {
    environment: { ADMIN_LISTEN: '127.0.0.1:0', ...more },
    nginx: { files: channelFiles(['one', 'two'], 2), verdictCache },
  })
  site.backend.answer = byToken
  const admin = (what: string): Promise<AdminAnswer> => askAdmin({ port: site.gate.adminPort }, what)
  return { ...site, admin }
}

describe('closing a session, through nginx', () => {
  test('counts on the very next request', async (t) => {
    const site = await startPlaying(t)
    const [viewer, other] = [createViewer(t, site.nginx), createViewer(t, site.nginx)]
    for (const one of [viewer, other]) {
      assert.equal(await one.get('/live/one/index.m3u8?token=7'), 200)
      assert.equal(await one.get('/live/one/0.ts'), 200)
    }
    const { sessions } = await pageOf(site, '')
    const closed = sessions.find(({ userAgent }) => userAgent === viewer.userAgent)
    assert.equal((await site.admin(`DELETE /sessions/${closed?.session}`)).status, 204)
    assert.equal(await viewer.get('/live/one/1.ts'), 403)
    assert.equal(await viewer.get('/live/one/index.m3u8'), 403)
    assert.equal(await other.get('/live/one/1.ts'), 200)
    assert.equal((await site.admin(`GET /sessions/${closed?.session}`)).status, 404)
    assert.equal((await site.admin(`DELETE /sessions/${closed?.session}`)).status, 404)
    const lines = site.gate.log.filter(({ message }) => message === 'closed by the operator')
    assert.deepEqual(
      lines.map(({ level, session, path }) => ({ level, session, path })),
      [{ level: 'info', session: closed?.session, path: closed?.path }],
    )
  })

  test('revokes nothing: who still has a good token starts anew, under another id', async (t) => {
    const site = await startPlaying(t)
    const viewer = createViewer(t, site.nginx)
    const ids = new Set<string>()
    for (let round = 1; round <= 20; round++) {
      assert.equal(await viewer.get('/live/one/index.m3u8?token=7'), 200)
      const [id = ''] = idsOf(await pageOf(site, ''))
      ids.add(id)
      assert.equal(ids.size, round)
      assert.equal((await site.admin(`DELETE /sessions/${id}`)).status, 204)
    }
    assert.deepEqual(new Set(site.backend.asked.map(({ headers }) => headers['X-Session-Id'])), ids)
    // The token is revoked at the backend, so the next session is the last.
    assert.equal(await viewer.get('/live/one/index.m3u8?token=7'), 200)
    site.backend.answer = status(403)
    assert.deepEqual((await site.admin('DELETE /sessions?user=7')).json, { closed: 1 })
    assert.equal(await viewer.get('/live/one/index.m3u8?token=7'), 403)
    assert.equal(await viewer.get('/live/one/0.ts'), 403)
  })

  test('all of a user, on whatever device', async (t) => {
    const site = await startPlaying(t)
    const [phone, tv, neighbour] = [
      createViewer(t, site.nginx),
      createViewer(t, site.nginx, { from: '127.0.0.2' }),
      createViewer(t, site.nginx),
    ]
    await phone.get('/live/one/index.m3u8?token=7')
    await tv.get('/live/one/index.m3u8?token=7')
    await tv.get('/live/two/index.m3u8?token=7')
    await neighbour.get('/live/one/index.m3u8?token=77')
    assert.deepEqual((await site.admin('DELETE /sessions?user=7')).json, { closed: 3 })
    assert.equal(await phone.get('/live/one/0.ts'), 403)
    assert.equal(await tv.get('/live/one/0.ts'), 403)
    assert.equal(await tv.get('/live/two/0.ts'), 403)
    assert.equal(await neighbour.get('/live/one/0.ts'), 200)
  })

  patientTest('counts within NGINX_TTL where nginx has the verdict cache', async (t) => {
    const NGINX_TTL = 4_000
    const site = await startPlaying(t, { NGINX_TTL: `${NGINX_TTL}ms` }, true)
    const viewer = createViewer(t, site.nginx)
    assert.equal(await viewer.get('/live/one/index.m3u8?token=7'), 200)
    assert.equal(await viewer.get('/live/one/0.ts'), 200)
    const stalls = watchStalls()
    const began = performance.now()
    assert.deepEqual((await site.admin('DELETE /sessions?user=7')).json, { closed: 1 })
    let lastAllowed = 0
    await until('nginx to ask again', async () => {
      const asked = performance.now() - began
      if ((await viewer.get('/live/one/0.ts')) === 403) return true
      lastAllowed = asked
      return false
    })
    const lost = stalls()
    t.diagnostic(`the last segment went out ${Math.round(lastAllowed)} ms after the close`)
    assert.ok(lastAllowed > 0, 'nginx repeats for a while')
    assert.ok(lastAllowed < NGINX_TTL + lost + 250, `${lastAllowed} ms`)
    assert.equal(await viewer.get('/live/one/0.ts'), 403)
  })
})

describe('closing while the backend is asked about the session', () => {
  test('does not bring it back when the backend allows', async (t) => {
    const backend = await startBackend(t)
    backend.answer = byToken
    const site = await startAdminGate(t, { BACKEND_URL: backend.url, ALLOW_TTL: '20ms' })
    const { sessionId } = await askGate(site.gate.port, { uri: '/a/index.m3u8?token=7' })
    const held: ServerResponse[] = []
    backend.answer = (_asked, response) => void held.push(response)
    await until('the re-check', async () => {
      assert.equal((await askGate(site.gate.port, { uri: '/a/1.ts' })).sessionId, sessionId)
      return held.length > 0
    })
    assert.equal((await site.admin(`DELETE /sessions/${sessionId}`)).status, 204)
    backend.answer = hasToken('7')
    for (const response of held) response.writeHead(200).end()
    await until('the end of the re-check', () =>
      site.gate.log.some(({ message }) => message === 're-checked'),
    )
    assert.equal((await pageOf(site, '')).total, 0)
    assert.equal((await askGate(site.gate.port, { uri: '/a/1.ts' })).status, 403)
    const again = await askGate(site.gate.port, { uri: '/a/index.m3u8?token=7' })
    assert.equal(again.status, 200)
    assert.notEqual(again.sessionId, sessionId)
  })

  test('nor one that the default action had let in', async (t) => {
    const port = await findFreePort()
    const site = await startAdminGate(t, {
      BACKEND_URL: `http://127.0.0.1:${port}`,
      DEFAULT_ACTION: 'allow',
      DEFAULT_TTL: '20ms',
    })
    const { sessionId } = await askGate(site.gate.port, { uri: '/a/index.m3u8?token=7' })
    const [view] = (await pageOf(site, '')).sessions
    assert.deepEqual([view?.session, view?.provisional, view?.unavailable], [sessionId, true, 'refused'])
    const backend = await startBackend(t, port)
    const held: ServerResponse[] = []
    backend.answer = (_asked, response) => void held.push(response)
    await until('the re-check', async () => {
      await askGate(site.gate.port, { uri: '/a/1.ts' })
      return held.length > 0
    })
    assert.equal((await site.admin(`DELETE /sessions/${sessionId}`)).status, 204)
    backend.answer = hasToken('7')
    for (const response of held) response.writeHead(200).end()
    await until('the end of the re-check', () =>
      site.gate.log.some(({ message, source }) => message === 're-checked' && source === 'backend'),
    )
    assert.equal((await pageOf(site, '')).total, 0)
    assert.equal((await askGate(site.gate.port, { uri: '/a/1.ts' })).status, 403)
  })
})
