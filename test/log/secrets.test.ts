import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings } from '../../src/config/read-settings.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { exchange } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { until } from '../support/until.ts'

/**
 * None of these may ever be shown. The password has a part on each side of every character that breaks it.
 */
const secrets = /hunter|sesame|operatorsecret|clienttoken/

const broken: readonly string[] = [
  'http://user:hunter2@a:0/auth?key=operatorsecret',
  'http://user:hunter2@a:70000/auth?key=operatorsecret',
  'http://user:hunter2@/auth?key=operatorsecret',
  'http://user:hunter2@a/auth?key=operatorsecret#top',
  'http://user:hunter2@a/auth#?key=operatorsecret',
  'http://user:hunter2@a/aüth?key=operatorsecret',
  'http://user:hunter2@a/auth?key=operatorsecret&x=ü',
  'ftp://user:hunter2@a/auth?key=operatorsecret',
  'user:hunter2@a/auth?key=operatorsecret',
  '//user:hunter2@a/auth?key=operatorsecret',
  'http:/user:hunter2@a/auth?key=operatorsecret',
  'http:user:hunter2@a/auth?key=operatorsecret',
  'http//user:hunter2@a/auth?key=operatorsecret',
  'http:///user:hunter2@a/auth?key=operatorsecret',
  'http:\\\\user:hunter2@a/auth?key=operatorsecret',
  'http://user:hunter/sesame@a/auth?key=operatorsecret',
  'http://user:hunter?sesame@a/auth?key=operatorsecret',
  'http://user:hunter#sesame@a/auth?key=operatorsecret',
  'http://user:hunter sesame@a/auth?key=operatorsecret',
  'http://user:hunter%sesame@a/auth?key=operatorsecret',
  'http://user:hunter2@sesame@a:0/auth?key=operatorsecret',
  'http://user:hünter-sesame@a/auth?key=operatorsecret',
  'http://a:0/auth?mail=me@operatorsecret',
  '"http://user:hunter2@a/auth?key=operatorsecret"',
  "'http://user:hunter2@a/auth?key=operatorsecret'",
  '<http://user:hunter2@a/auth?key=operatorsecret>',
  'BACKEND_URL=http://user:hunter2@a/auth?key=operatorsecret',
  'http://user:hunter2@a/auth?key=operator secret and operatorsecret',
  'http://user:hunter2@a/auth ?key=operatorsecret',
  'http://a/auth http://user:hunter2@b:0/auth?key=operatorsecret',
  'http://a/auth http://user:hunter2@b/auth and',
  'http://a/auth, user:hunter2@b/auth?key=operatorsecret',
  'http://a/auth;http://user:hunter2@b/auth?key=operatorsecret',
  'http://user:hunter2@a:0/auth\nhttp://user:sesame@b:0/auth?key=operatorsecret',
]

describe('passwords and tokens in a broken BACKEND_URL', () => {
  for (const BACKEND_URL of broken) {
    test(`are not shown: ${JSON.stringify(BACKEND_URL)}`, () => {
      const result = readSettings({ BACKEND_URL })
      assert.ok(!result.ok, 'nobody noticed')
      assert.doesNotMatch(result.problems.join('\n'), secrets)
    })
  }

  test('are not shown when its name is misspelt, either', () => {
    const result = readSettings({ BACKENDURL: 'http://user:hunter2@a/auth?key=operatorsecret' })
    assert.ok(!result.ok)
    assert.doesNotMatch(result.problems.join('\n'), secrets)
  })
})

describe('passwords and tokens in what a running service writes', () => {
  for (const LOG_LEVEL of ['info', 'debug']) {
    test(`are not shown at ${LOG_LEVEL}, and neither is any query string`, async (t) => {
      const backend = await startBackend(t)
      const garbage = await startRawBackend(t, (socket) => socket.end('hello, who is there?\r\n\r\n'))
      const own = (url: string): string => `${url.replace('//', '//user:hunter2@')}/auth?key=operatorsecret`
      const gate = await startGate(t, {
        LOG_LEVEL,
        ADMIN_LISTEN: '127.0.0.1:0',
        BACKEND_URL: `${own(backend.url)} ${own(garbage.url)}`,
        ALLOW_TTL: '100ms',
      })
      const ask = (uri: string) => askGate(gate.port, { uri })
      const decided = (...parts: string[]) => {
        const isSo = (line: string) => parts.every((part) => line.includes(part))
        return until(parts.join(' '), () => gate.logText().split('\n').some(isSo))
      }

      await ask('/a/index.m3u8?token=clienttoken1&quality=hd')
      assert.match(
        backend.asked[0]?.target ?? '',
        /^\/auth\?token=clienttoken1&quality=hd&key=operatorsecret$/,
      )
      await decided('backend-200')
      await ask('/a/1.ts')
      await until('a re-check', async () => {
        await ask('/a/index.m3u8?token=clienttoken1&quality=hd')
        return gate.logText().includes('re-checked')
      })

      backend.answer = status(302, { Location: 'http://a/?token=clienttoken' })
      await ask('/b/index.m3u8?token=clienttoken2&quality=hd')
      await ask('/b/index.m3u8?token=clienttoken2&quality=hd')
      await decided('backend-302')

      await ask(`/c/index.m3u8?token=clienttoken3${'&quality=hd'.repeat(600)}`)
      await exchange(
        { port: gate.port },
        Buffer.from('GET /auth?token=clienttoken4&quality=hd HTTP/1.1\r\nBad Name: 1\r\n\r\n'),
      )
      await exchange(
        { port: gate.port },
        Buffer.from('GET /other?token=clienttoken5&quality=hd HTTP/1.0\r\n\r\n'),
      )
      await decided('bad-request', 'not readable')

      await backend.stop()
      await ask('/d/index.m3u8?token=clienttoken6&quality=hd')
      await decided('/d/index.m3u8', 'unavailable-')
      await decided('backend unavailable', 'refused')

      const { adminPort: port } = gate
      const { body } = await get({ port }, '/readyz?token=clienttoken7')
      assert.match(body, /unavailable/)
      const others = ['/missing?token=clienttoken8', '/sessions', '/denials', '/metrics']
      const told = await Promise.all(others.map(async (path) => (await get({ port }, path)).body))

      for (const text of [gate.logText(), body, ...told]) {
        assert.doesNotMatch(text, secrets)
        assert.doesNotMatch(text, /user:|dXNlcjpodW50ZXIy|quality|\?/)
      }
    })
  }
})
