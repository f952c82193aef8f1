import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Endpoint } from '../../src/client/endpoint.ts'
import { type Environment, readSettings, type Settings } from '../../src/config/read-settings.ts'

function settingsOf(environment: Environment): Settings {
  const result = readSettings(environment)
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return result.settings
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('one BACKEND_URL', () => {
  const forms: [url: string, expected: Partial<Endpoint>][] = [
    ['http://a', { host: 'a', port: 80, authority: 'a', path: '/', query: '', authorization: undefined }],
    ['http://a/auth', { path: '/auth', name: 'http://a/auth' }],
    ['http://a:6000/auth', { port: 6000, authority: 'a:6000' }],
    ['https://a/auth', { protocol: 'https:', port: 443, authority: 'a' }],
    ['https://a:8443/auth', { port: 8443, authority: 'a:8443' }],
    ['HTTP://A.Example.com/Auth', { protocol: 'http:', host: 'a.example.com', path: '/Auth' }],
    ['http://[::1]:6000/auth', { host: '::1', port: 6000, authority: '[::1]:6000' }],
    ['http://[2001:db8::1]/auth', { host: '2001:db8::1', port: 80 }],
    ['http://a?key=1', { path: '/', query: 'key=1', name: 'http://a/' }],
    ['http://a/x/../y//%70%2f', { path: '/x/../y//%70%2f' }],
    ["http://a/auth?key=a'b%20c&list=1,2&&k[]=%7e", { query: "key=a'b%20c&list=1,2&&k[]=%7e" }],
    ['http://a/auth?q=http://b/', { query: 'q=http://b/', name: 'http://a/auth' }],
    ['http://user:pass@a/auth', { authorization: basic('user:pass'), authority: 'a', name: 'http://a/auth' }],
    ['http://user@a/auth', { authorization: basic('user:'), authority: 'a' }],
    ['http://u%40x:p%3Aw%2F%25@a/auth', { authorization: basic('u@x:p:w/%'), authority: 'a' }],
  ]
  for (const [url, expected] of forms) {
    test(`is taken apart: ${url}`, () => {
      const { backends } = settingsOf({ BACKEND_URL: url })
      assert.equal(backends.length, 1)
      for (const [name, value] of Object.entries(expected)) {
        assert.deepEqual(backends[0][name as keyof Endpoint], value, name)
      }
    })
  }
})

describe('several BACKEND_URLs', () => {
  const lists: [written: string, urls: string[]][] = [
    ['http://a/x http://b/y', ['http://a/x', 'http://b/y']],
    ['http://a/x,http://b/y', ['http://a/x', 'http://b/y']],
    ['http://a/x, http://b/y', ['http://a/x', 'http://b/y']],
    ['http://a/x , https://b/y', ['http://a/x', 'https://b/y']],
    ['http://a/x\thttp://b/y\nhttp://c/z', ['http://a/x', 'http://b/y', 'http://c/z']],
    ['http://a/x http://b/y,http://c/z', ['http://a/x', 'http://b/y', 'http://c/z']],
    [' http://a/x,', ['http://a/x']],
    ['http://a/x,,http://b/y', ['http://a/x', 'http://b/y']],
  ]
  for (const [written, urls] of lists) {
    test(`are told apart: ${JSON.stringify(written)}`, () => {
      const { backends } = settingsOf({ BACKEND_URL: written })
      assert.deepEqual(
        backends.map(({ name }) => name),
        urls,
      )
    })
  }

  test('a comma inside a query stays', () => {
    const { backends } = settingsOf({ BACKEND_URL: 'http://a/x?ids=1,2,3,http://b/y?ids=4,5' })
    assert.deepEqual(
      backends.map(({ query }) => query),
      ['ids=1,2,3', 'ids=4,5'],
    )
  })

  test('a preset completes each one that is bare', () => {
    const { backends } = settingsOf({ MIDDLEWARE: 'smarty', BACKEND_URL: 'http://a http://b/own' })
    assert.deepEqual(
      backends.map(({ path }) => path),
      ['/tvmiddleware/api/streamservice/token/check/', '/own'],
    )
  })
})

describe('MIDDLEWARE', () => {
  const presets: [middleware: string, path: string][] = [
    ['ministra', '/stalker_portal/server/api/chk_flussonic_tmp_link.php'],
    ['iptvportal', '/auth/arescrypt/'],
    ['smarty', '/tvmiddleware/api/streamservice/token/check/'],
  ]
  for (const [MIDDLEWARE, path] of presets) {
    for (const BACKEND_URL of ['http://a.example', 'http://a.example/', 'https://u:p@a.example:8443']) {
      test(`${MIDDLEWARE} completes the bare ${BACKEND_URL}`, () => {
        const [backend] = settingsOf({ MIDDLEWARE, BACKEND_URL }).backends
        assert.equal(backend.path, path)
        assert.equal(backend.query, '')
      })
    }

    for (const rest of ['/own', '/own/', '/?key=1', '?key=1']) {
      test(`${MIDDLEWARE} leaves a full URL alone: ${rest}`, () => {
        const written = { BACKEND_URL: `http://a.example${rest}` }
        const [asWritten] = settingsOf(written).backends
        const [backend] = settingsOf({ ...written, MIDDLEWARE }).backends
        assert.deepEqual(backend, asWritten)
      })
    }

    test(`${MIDDLEWARE} never re-checks, unless ALLOW_TTL is set by hand`, () => {
      const written = { MIDDLEWARE, BACKEND_URL: 'http://a.example' }
      assert.equal(settingsOf(written).lifetimes.allow, 'session')
      assert.equal(settingsOf({ ...written, ALLOW_TTL: '' }).lifetimes.allow, 'session')
      assert.equal(settingsOf({ ...written, ALLOW_TTL: '30s' }).lifetimes.allow, 30_000)
    })
  }

  for (const [UNAVAILABLE_STATUS, counts] of [
    [undefined, [502, 503, 504]],
    ['500 502', [500, 502]],
    ['', []],
  ] as const)
    test(`a preset with UNAVAILABLE_STATUS=${UNAVAILABLE_STATUS ?? ' not set'}: ${counts.join(' ') || 'none'}`, () => {
      for (const [MIDDLEWARE] of presets) {
        const own = UNAVAILABLE_STATUS === undefined ? {} : { UNAVAILABLE_STATUS }
        const { unavailableStatus } = settingsOf({ MIDDLEWARE, BACKEND_URL: 'http://a.example', ...own })
        assert.deepEqual([...unavailableStatus], counts)
      }
    })
  test('custom leaves a bare URL, ALLOW_TTL and UNAVAILABLE_STATUS alone', () => {
    const settings = settingsOf({ MIDDLEWARE: 'custom', BACKEND_URL: 'http://a.example' })
    assert.equal(settings.backends[0].path, '/')
    assert.equal(settings.lifetimes.allow, 60_000)
    assert.equal(settings.unavailableStatus.size, 0)
  })
})
