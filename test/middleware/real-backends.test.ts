import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startGunicorn } from '../support/gunicorn-backend.ts'
import { get } from '../support/http-get.ts'
import { mostAtOnce, startPhpFpm } from '../support/php-fpm-backend.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { startUwsgi } from '../support/uwsgi-backend.ts'

const starters: Readonly<Record<string, (scope: Scope) => Promise<{ readonly port: number }>>> = {
  uWSGI: startUwsgi,
  gunicorn: startGunicorn,
  'php-fpm behind nginx': startPhpFpm,
}

describe('the real backends of the tests', () => {
  for (const [name, start] of Object.entries(starters)) {
    test(`${name} allows a good token and denies another`, async (t) => {
      const { port } = await start(t)
      const statusOf = async (query: string): Promise<number> =>
        (await get({ port }, `/auth?${query}`)).status
      assert.equal(await statusOf('token=good-1'), 200)
      assert.equal(await statusOf('token=bad'), 403)
      assert.equal(await statusOf(''), 403)
    })
  }

  test('uWSGI resets the connection of a long question', async (t) => {
    const { port } = await startUwsgi(t)
    const answer = get({ port }, `/auth?token=good${'x'.repeat(5_000)}`)
    await assert.rejects(answer, { code: 'ECONNRESET' })
  })

  test('php-fpm works on questions that nobody waits for any more, and tells how many there were at once', async (t) => {
    const fpm = await startPhpFpm(t, 2)
    fpm.sleep(800)
    const questions = Array.from({ length: 6 }, async (_, n) => {
      const reply = fetch(`${fpm.url}/auth?token=good-${n}`, { signal: AbortSignal.timeout(400) })
      await assert.rejects(reply)
    })
    await Promise.all(questions)
    fpm.sleep(0)
    await get(fpm, '/auth?token=last')
    const runs = () => fpm.runs().filter(({ query }) => query !== '')
    // The other child may still be asleep.
    await until('all scripts to end', () => runs().length >= 7)
    assert.equal(runs().length, 7)
    assert.ok(mostAtOnce(runs()) >= 6, `${mostAtOnce(runs())}`)
  })
})
