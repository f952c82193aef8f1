import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings, type Settings } from '../../src/config/read-settings.ts'
import { ministraPath } from '../support/ministra-portal.ts'

function settingsOf(environment: Readonly<Record<string, string>>): Settings {
  const result = readSettings(environment)
  assert.ok(result.ok, JSON.stringify(result))
  return result.settings
}

/** What a question would be sent to. */
function urlOf({ backends: [{ protocol, authority, path, query }] }: Settings): string {
  return `${protocol}//${authority}${path}${query === '' ? '' : `?${query}`}`
}

const pathOf = {
  ministra: ministraPath,
  iptvportal: '/auth/arescrypt/',
  smarty: '/tvmiddleware/api/streamservice/token/check/',
}

for (const [middleware, path] of Object.entries(pathOf)) {
  describe(`MIDDLEWARE=${middleware}`, () => {
    for (const base of [
      'http://portal.example.com',
      'https://portal.example.com',
      'http://portal.example.com:8080',
      'http://192.0.2.7',
      'https://[2001:db8::7]:8443',
    ]) {
      for (const slash of ['', '/']) {
        test(`completes ${base}${slash}`, () => {
          const settings = settingsOf({ MIDDLEWARE: middleware, BACKEND_URL: `${base}${slash}` })
          assert.equal(urlOf(settings), `${base}${path}`)
        })
      }
    }

    for (const url of [
      `https://portal.example.com${path}`,
      'http://portal.example.com/own/check.php',
      'http://portal.example.com/own/',
      'http://portal.example.com/?key=1',
      `http://portal.example.com:88${path}?key=1`,
    ]) {
      test(`leaves ${url} alone`, () => {
        assert.equal(urlOf(settingsOf({ MIDDLEWARE: middleware, BACKEND_URL: url })), url)
      })
    }

    test('completes each of several', () => {
      const { backends } = settingsOf({
        MIDDLEWARE: middleware,
        BACKEND_URL: 'http://a.example.com http://b.example.com/own, http://c.example.com/',
      })
      assert.deepEqual(
        backends.map((backend) => backend.path),
        [path, '/own', path],
      )
    })

    test('never asks about a session again', () => {
      const { lifetimes } = settingsOf({ MIDDLEWARE: middleware, BACKEND_URL: 'http://portal.example.com' })
      assert.equal(lifetimes.allow, 'session')
    })

    test('an ALLOW_TTL of the operator counts more', () => {
      const { lifetimes } = settingsOf({
        MIDDLEWARE: middleware,
        BACKEND_URL: 'http://portal.example.com',
        ALLOW_TTL: '5m',
      })
      assert.equal(lifetimes.allow, 300_000)
    })

    const statuses: readonly (readonly [written: string | undefined, counts: readonly number[]])[] = [
      [undefined, [502, 503, 504]],
      ['500 502', [500, 502]],
      ['', []],
      [' ', []],
    ]
    for (const [written, counts] of statuses) {
      test(`UNAVAILABLE_STATUS=${written ?? 'not set'} is ${counts.join(' ') || 'no status'}`, () => {
        const { unavailableStatus } = settingsOf({
          MIDDLEWARE: middleware,
          BACKEND_URL: 'http://portal.example.com',
          ...(written === undefined ? {} : { UNAVAILABLE_STATUS: written }),
        })
        assert.deepEqual([...unavailableStatus], counts)
      })
    }
  })
}

test('IPTVPORTAL needs its host alone', () => {
  const settings = settingsOf({ MIDDLEWARE: 'iptvportal', BACKEND_URL: 'https://go.iptvportal.cloud' })
  assert.equal(urlOf(settings), 'https://go.iptvportal.cloud/auth/arescrypt/')
  assert.equal(settings.backends[0].port, 443)
})

describe('MIDDLEWARE=custom', () => {
  for (const environment of [{}, { MIDDLEWARE: '' }, { MIDDLEWARE: 'custom' }]) {
    test(`completes nothing and re-checks after a minute: ${JSON.stringify(environment)}`, () => {
      const settings = settingsOf({ ...environment, BACKEND_URL: 'http://portal.example.com' })
      assert.equal(urlOf(settings), 'http://portal.example.com/')
      assert.equal(settings.lifetimes.allow, 60_000)
      assert.equal(settings.unavailableStatus.size, 0)
    })
  }
})
