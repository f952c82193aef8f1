import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type AdminOptions, createAdminApp } from '../../src/admin/app.ts'
import type { RecentDenial } from '../../src/admin/recent-denials.ts'
import { createAdminServer } from '../../src/admin/server.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { type AdminAnswer, type AdminGate, askAdmin, errorOf, startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { exchange } from '../support/client.ts'
import { readPage, root } from '../support/documentation/pages.ts'
import { listenOnLoopback } from '../support/listen-on-loopback.ts'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { wordsOf } from '../support/words.ts'

/** The routes as a 404 lists them. */
async function routesOf({ admin }: AdminGate): Promise<string[]> {
  const [, list = ''] = /there are (.*)$/.exec(errorOf(await admin('GET /nothing'))) ?? []
  return list.split(', ')
}

describe('the admin API', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const site = forSuite((scope) => startAdminGate(scope, { BACKEND_URL: backend.url }))

  test('docs/admin.md names every route, and no other', async () => {
    const rows = readPage('docs/admin.md').prose.matchAll(/^\| `((?:GET|DELETE) [^`?]+)[^`]*` \|/gm)
    const named = [...rows].map(([, route = '']) => route)
    assert.deepEqual([...new Set(named)].sort(), (await routesOf(site)).sort())
  })

  for (const [what, sentence] of [
    ['GET /sessions?channle=x', /no parameter "channle".*channel, address, user, limit, after/],
    ['GET /sessions?token=x', /no parameter "token"/],
    ['GET /sessions?user', /"user" is empty; give it a value or leave it out/],
    ['GET /sessions?user=&limit=1', /"user" is empty/],
    ['GET /sessions?user=1&user=2', /"user" is given twice; give it once/],
    ['GET /sessions?limit=0', /limit "0" is no whole number from 1 to 1000/],
    ['GET /sessions?limit=1001', /limit "1001"/],
    ['GET /sessions?limit=-1', /limit "-1"/],
    ['GET /sessions?limit=1e2', /limit "1e2"/],
    ['GET /sessions?limit=0x10', /limit "0x10"/],
    ['GET /sessions?limit=1.5', /limit "1.5"/],
    ['GET /sessions?limit=all', /limit "all"/],
    [`GET /sessions?limit=${'9'.repeat(400)}`, /no whole number/],
    ['GET /sessions?after=x', /after "x" is not the "next" of a page; leave it out/],
    ['GET /sessions?after=1.', /after "1\."/],
    ['GET /sessions?address=local', /address "local" is no IP address; write one/],
    ['GET /sessions?address=192.0.2.1:80', /address "192\.0\.2\.1:80"/],
    ['GET /sessions?address=fe80::1%25eth0', /is no IP address/],
    ['GET /sessions/x?limit=1', /\/sessions\/x has no parameter "limit": it takes none/],
    ['DELETE /sessions', /would end all sessions; name a channel, an address or a user/],
    ['DELETE /sessions?', /would end all sessions/],
    ['DELETE /sessions?user=', /"user" is empty/],
    ['DELETE /sessions?usr=7', /no parameter "usr"/],
    ['DELETE /sessions?all=1', /all "1" is not "yes"; write that to close all sessions/],
    ['DELETE /sessions?all=', /"all" is empty/],
    ['DELETE /sessions?all=yes&user=7', /all=yes takes no filter beside it/],
    ['GET /sessions?all=yes', /no parameter "all"/],
    ['DELETE /sessions?limit=1', /no parameter "limit"/],
    ['DELETE /sessions?address=', /"address" is empty/],
    ['DELETE /sessions/x?user=7', /no parameter "user": it takes none/],
    ['GET /denials?limit=5', /no parameter "limit"/],
    ['GET /metrics?name=x', /no parameter "name"/],
    ['GET /events?since=1', /no parameter "since"/],
    ['GET /explain', /give the URL of a client as "url", percent-encoded, or the number of a "denial"/],
    ['GET /explain?url=', /"url" is empty/],
    ['GET /explain?url=/live/index.m3u8', /must be a whole one/],
    ['GET /explain?url=ftp://a/b', /must be a whole one/],
    ['GET /explain?denial=1&ip=192.0.2.1', /leave the other parameters out/],
    ['GET /explain?denial=1&url=http://a/', /leave the other parameters out/],
    ['GET /explain?agent=x', /no parameter "agent".*denial, url, ip, ua, playback-id/],
  ] as const) {
    test(`${what.slice(0, 60)} is 400, with the cure`, async () => {
      await askGate(site.gate.port, { uri: '/kept/index.m3u8?token=1' })
      const answer = await site.admin(what)
      assert.equal(answer.status, 400, answer.body)
      assert.match(errorOf(answer), sentence)
      assert.equal(
        ((await site.admin('GET /sessions')).json as { total: number }).total,
        1,
        'nothing was closed',
      )
    })
  }

  test('what is not percent-encoded right is 400', async () => {
    for (const target of wordsOf(`/%zz /sessions/% /sessions/%c3%28 /sessions?user=% /sessions?user=%ff
      /explain?url=%zz /%c0%ae%c0%ae/`))
      for (const method of ['GET', 'DELETE', 'POST']) {
        const answer = await site.admin(`${method} ${target}`)
        assert.equal(answer.status, 400, target)
        assert.match(errorOf(answer), /percent.*%25/, target)
      }
  })

  test('any other method is 405, and Allow tells which there are', async () => {
    for (const route of await routesOf(site)) {
      const path = route.split(' ')[1]?.replace(':id', 'x') ?? ''
      const takesDelete = path.startsWith('/sessions')
      const others = wordsOf('POST PUT PATCH OPTIONS TRACE PROPFIND')
      for (const method of [...others, ...(takesDelete ? [] : ['DELETE'])]) {
        const answer = await site.admin(`${method} ${path}`)
        assert.equal(answer.status, 405, `${method} ${path}`)
        assert.equal(answer.headers.allow, takesDelete ? 'GET, HEAD, DELETE' : 'GET, HEAD')
        assert.ok(errorOf(answer).includes(`not ${method}`))
      }
    }
  })

  test('HEAD is GET without a body', async () => {
    const paths = '/ /healthz /readyz /metrics /sessions /denials /events /explain?url=http://a/b'
    for (const path of paths.split(' ')) {
      const { status: code, body, headers } = await site.admin(`HEAD ${path}`)
      assert.deepEqual([code, body], [200, ''], path)
      assert.notEqual(headers['content-type'], undefined)
    }
  })

  test('no answer is kept by anybody, or taken for something else', async () => {
    const all = [
      ...['GET /', 'GET /healthz', 'GET /readyz', 'GET /metrics', 'GET /sessions', 'DELETE /sessions'],
      ...['GET /sessions/x', 'PUT /sessions', 'GET /%zz', 'GET /x', 'HEAD /events'],
    ]
    for (const what of all) {
      const { headers } = await site.admin(what)
      assert.equal(headers['cache-control'], 'no-store', what)
      assert.equal(headers['x-content-type-options'], 'nosniff', what)
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /^default-src 'none';.*frame-ancestors 'none'/, what)
      for (const name of ['access-control-allow-origin', 'etag', 'x-powered-by'])
        assert.equal(headers[name], undefined, what)
    }
  })

  test('a body is left unread', async () => {
    const { sessionId } = await askGate(site.gate.port, { uri: '/body/index.m3u8?token=1' })
    const body = '{"user":"x"}'
    const head = `Host: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    const send = (line: string) =>
      exchange({ port: site.adminPort }, Buffer.from(`${line} HTTP/1.1\r\n${head}\r\n\r\n${body}`))
    assert.equal((await send('DELETE /sessions')).status, 400)
    assert.equal((await send('GET /sessions')).status, 200)
    assert.equal((await send(`DELETE /sessions/${sessionId}`)).status, 204)
  })

  test('metrics are in the format of Prometheus', async () => {
    const { headers, body } = await site.admin('GET /metrics')
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(body, /^# TYPE alta_auth_decisions_total counter$/m)
  })
})

describe('denials', () => {
  test('are told newest first, without their tokens, and can be explained again', async (t) => {
    const backend = await startBackend(t)
    const { admin, gate } = await startAdminGate(t, { BACKEND_URL: backend.url, DENY_TTL: '1ms' })
    assert.deepEqual((await admin('GET /denials')).json, { denials: [] })
    backend.answer = status(404)
    const { sessionId } = await askGate(gate.port, {
      uri: '/a/index.m3u8?token=SECRET',
      userAgent: 'VLC',
      address: '2001:db8::1',
    })
    await askGate(gate.port, { uri: '/b', path: '/\u0001' })
    const answer = await admin('GET /denials')
    const { denials } = answer.json as { denials: RecentDenial[] }
    assert.doesNotMatch(answer.body, /SECRET|token/)
    assert.deepEqual(
      denials.map(({ denial, reason }) => [denial, reason]),
      [
        [2, 'bad-request'],
        [1, 'backend-404'],
      ],
    )
    assert.equal(denials[1]?.session, sessionId)
    assert.match(denials[0]?.why ?? '', /./)

    const asked = backend.asked.length
    const explained = await admin('GET /explain?denial=1')
    const { subrequest, decision } = explained.json as Explanation
    assert.equal(subrequest?.address, '2001:db8::1')
    assert.equal(subrequest?.userAgent, 'VLC')
    assert.equal(decision.reason, 'backend-404')
    assert.deepEqual(
      backend.asked.slice(asked).map(({ target }) => target),
      ['/?token=SECRET'],
      'with its own token',
    )
    assert.doesNotMatch(explained.body, /SECRET/)
    const unread = (await admin('GET /explain?denial=2')).json as Explanation
    assert.equal(unread.decision.reason, 'bad-request')
    assert.equal(
      ((await admin('GET /denials')).json as { denials: unknown[] }).denials.length,
      2,
      'to explain is no denial',
    )
    for (const none of ['0', '3', '-1', '1.5', 'x', '999999999999999999']) {
      const missing = await admin(`GET /explain?denial=${none}`)
      assert.equal(missing.status, 404, none)
      assert.match(errorOf(missing), /not among the recent ones; GET \/denials/)
    }
  })
})

describe('an explanation', () => {
  test('is of the viewer that is asked about, and changes nothing', async (t) => {
    const backend = await startBackend(t)
    const { admin } = await startAdminGate(t, { BACKEND_URL: backend.url })
    const query = new URLSearchParams({
      url: 'https://live.example.com/live/a/index.m3u8?token=SECRET',
      ip: '192.0.2.77',
      ua: 'VLC/3',
      'playback-id': 'p1',
    })
    const answer = await admin(`GET /explain?${query}`)
    assert.equal(answer.status, 200, answer.body)
    const { subrequest, decision } = answer.json as Explanation
    assert.deepEqual(
      { ...subrequest, query: '' },
      {
        address: '192.0.2.77',
        origin: 'https://live.example.com',
        path: '/live/a/index.m3u8',
        query: '',
        userAgent: 'VLC/3',
        playbackId: 'p1',
      },
    )
    assert.equal(decision.verdict, 'allow')
    assert.doesNotMatch(answer.body, /SECRET/)
    assert.deepEqual(((await admin('GET /sessions')).json as { total: number }).total, 0)
    assert.equal((await admin('GET /explain?url=http://a/b&ua=&playback-id=')).status, 200)
  })
})

describe('the files of the page', () => {
  test('are those of live-page/, as what they are', async (t) => {
    const backend = await startBackend(t)
    const { admin } = await startAdminGate(t, { BACKEND_URL: backend.url, ADMIN_TOKEN: '0123456789abcdef' })
    const types: Readonly<Record<string, RegExp>> = {
      html: /^text\/html; charset=utf-8$/,
      css: /^text\/css; charset=utf-8$/,
      js: /^text\/javascript; charset=utf-8$/,
      svg: /^image\/svg\+xml/,
    }
    const names = readdirSync(join(root, 'live-page')).filter((name) => /\.(?:html|css|js|svg)$/.test(name))
    assert.ok(names.includes('index.html'))
    for (const name of names) {
      const { status: code, headers } = await admin(`GET /${name === 'index.html' ? '' : name}`)
      assert.equal(code, 200, name)
      assert.match(headers['content-type'] ?? '', types[name.split('.')[1] ?? ''] ?? /never/)
      assert.equal(
        headers['content-security-policy'],
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
    }
  })

  test('nothing else is served, however it is asked for', async (t) => {
    const folder = makeTemporaryFolder(t)
    const page = join(folder, 'page')
    mkdirSync(join(page, 'below'), { recursive: true })
    mkdirSync(join(page, 'folder.js'))
    for (const name of wordsOf('index.html a.js .env .hidden.js tsconfig.json notes.md below/b.js'))
      writeFileSync(join(page, name), `here: ${name}`)
    writeFileSync(join(folder, 'outside.js'), 'here: outside')
    symlinkSync(join(folder, 'outside.js'), join(page, 'link.js'))
    const admin = await startApp(t, { page })
    assert.equal((await admin('GET /')).body, 'here: index.html')
    assert.equal((await admin('GET /a.js')).body, 'here: a.js')
    for (const path of waysOut)
      for (const answer of [await admin(`GET ${path}`), await admin(`HEAD ${path}`)]) {
        assert.equal(answer.status, 404, path)
        assert.doesNotMatch(answer.body, /here:/)
      }
    assert.equal((await admin('POST /a.js')).status, 405)
  })

  test('are those of the start, also when they are gone from the disk', async (t) => {
    const page = makeTemporaryFolder(t)
    writeFileSync(join(page, 'index.html'), 'as at the start')
    const admin = await startApp(t, { page })
    rmSync(join(page, 'index.html'))
    const answer = await admin('GET /')
    assert.deepEqual([answer.status, answer.body], [200, 'as at the start'])
  })
})

/** Paths that try to reach something other than the files of the page. */
const waysOut = wordsOf(`
  /index.html /.env /%2eenv /.hidden.js /tsconfig.json /notes.md /below/b.js /below%2fb.js /folder.js /folder.js/
  /link.js /../outside.js /%2e%2e/outside.js /..%2foutside.js /..%5coutside.js //a.js /a.js/ /a.js%00 /A.JS
  /a%2ejs%2f`)

/** The app alone. Its parts do nothing unless given. */
async function startApp(
  t: TestContext,
  more: Partial<AdminOptions>,
): Promise<(what: string, headers?: Readonly<Record<string, string>>) => Promise<AdminAnswer>> {
  const server = createAdminServer(
    createAdminApp({
      token: undefined,
      readiness: () => ({ ready: true, reasons: [] }),
      metrics: async () => ({ contentType: 'text/plain', body: '' }),
      desk: {
        list: () => ({ sessions: [], next: null, total: 0 }),
        find: () => undefined,
        refusedUsers: () => [],
        close: async () => ({ closed: 0 }),
        closeAll: async () => ({ closed: 0 }),
      },
      denials: { list: () => [], find: () => undefined },
      explain: async () => assert.fail('not asked'),
      live: { add: () => false },
      page: '/nowhere',
      onInternalError: (error) => assert.fail(String(error)),
      ...more,
    }),
  )
  const { port } = await listenOnLoopback(t, server)
  return (what, headers) => askAdmin({ port }, what, headers)
}

describe('a fault of our own', () => {
  test('is 500 with a sentence and no stack, and is told to the log', async (t) => {
    const errors: unknown[] = []
    const broken = (): never => {
      throw new TypeError('secret detail')
    }
    const admin = await startApp(t, {
      readiness: broken,
      metrics: () => Promise.reject(new TypeError('secret detail')),
      desk: { list: broken, find: broken, refusedUsers: broken, close: broken, closeAll: broken },
      denials: { list: broken, find: broken },
      explain: () => Promise.reject(new TypeError('secret detail')),
      live: { add: broken },
      onInternalError: (error) => errors.push(error),
    })
    const all = [
      ...['GET /readyz', 'GET /metrics', 'GET /sessions', 'GET /sessions/x', 'DELETE /sessions/x'],
      ...['DELETE /sessions?user=1', 'GET /denials', 'GET /explain?denial=1'],
      ...['GET /explain?url=http://a/b', 'GET /events'],
    ]
    for (const what of all) {
      const answer = await admin(what)
      assert.equal(answer.status, 500, what)
      assert.match(errorOf(answer), /^a fault of alta-auth itself; its log has the error, please report it$/)
      assert.deepEqual(Object.keys(answer.json as object), ['error'])
    }
    assert.equal(errors.length, all.length)
    assert.equal((await admin('GET /healthz')).status, 200)
  })
})

test('slow clients cannot pin the admin listener', async (t) => {
  const backend = await startBackend(t)
  const { adminPort, admin } = await startAdminGate(t, { BACKEND_URL: backend.url })
  const local = 'Host: 127.0.0.1\r\n'
  const slow: Readonly<Record<string, readonly [first: string, dripping?: string]>> = {
    'not a word': [''],
    'half a head': ['GET /healthz HTTP/1.1\r\nHost: a\r\n'],
    'a dripping head': ['GET /healthz HTTP/1.1\r\n', 'X-A: b\r\n'],
    'a body that never ends': [
      `DELETE /sessions?user=1 HTTP/1.1\r\n${local}Transfer-Encoding: chunked\r\n\r\n`,
      '1\r\nx\r\n',
    ],
    'a body that never comes': [`GET /healthz HTTP/1.1\r\n${local}Content-Length: 1000000\r\n\r\n`],
  }
  const open = new Set(Object.keys(slow))
  for (const [name, [first, dripping = '']] of Object.entries(slow)) {
    const socket = connect(adminPort, '127.0.0.1')
    t.after(() => void socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => open.delete(name)).resume()
    socket.write(first)
    const drip = setInterval(() => void (socket.writable && socket.write(dripping)), 300)
    socket.on('close', () => clearInterval(drip))
  }
  assert.equal((await admin('GET /healthz')).status, 200)
  await until('all of them to be closed', () => open.size === 0, 30_000)
})
