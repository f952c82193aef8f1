import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackendNginx } from '../support/backend-nginx.ts'
import { startPhp } from '../support/php.ts'
import { startPhpFpm } from '../support/php-fpm-backend.ts'
import { startWatchedGate, type WatchedGate } from '../support/readiness.ts'
import { rounds } from '../support/rounds.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { startUwsgi } from '../support/uwsgi-backend.ts'

/** Real backends; each allows a token that begins with `good`. */
const backends: Readonly<Record<string, (scope: Scope) => Promise<{ readonly url: string }>>> = {
  uWSGI: startUwsgi,
  'uWSGI behind nginx': async (scope) =>
    startBackendNginx(scope, `proxy_pass ${(await startUwsgi(scope)).url};`),
  'php-fpm behind nginx': startPhpFpm,
  'php -S': (scope) => startPhp(scope, writeScript(scope)),
}

function writeScript(scope: Scope): string {
  const file = join(makeTemporaryFolder(scope), 'auth.php')
  writeFileSync(
    file,
    "<?php http_response_code(str_starts_with((string) ($_GET['token'] ?? ''), 'good') ? 200 : 403);",
  )
  return file
}

interface Shape {
  readonly what: string
  readonly uri: string
  readonly userAgent?: string
}

/** What a client may send that reaches the backend, with a token that nobody gave out. */
const shapes: readonly Shape[] = [
  ...[
    500, 1_500, 1_700, 1_760, 1_850, 1_950, 2_050, 2_500, 3_000, 3_600, 3_700, 3_850, 4_100, 6_000, 8_100,
  ].map((length) => ({
    what: `a query of ${length}`,
    uri: `/live/a.m3u8?token=bad${'x'.repeat(length - 9)}`,
  })),
  { what: '500 parameters', uri: `/live/a.m3u8?token=bad${'&a=1'.repeat(499)}` },
  { what: '500 equal arrays', uri: `/live/a.m3u8?token[]=bad${'&token[]=1'.repeat(499)}` },
  { what: 'a path of 4,000', uri: `/live/${'p'.repeat(3_990)}.m3u8?token=bad` },
  { what: 'a User-Agent of 2,000', uri: '/live/a.m3u8?token=bad', userAgent: 'u'.repeat(2_000) },
  {
    what: 'all at once',
    uri: `/live/${'p'.repeat(3_990)}.m3u8?token=bad${'x'.repeat(8_000)}`,
    userAgent: 'u'.repeat(2_000),
  },
  { what: 'bytes of percent signs', uri: `/live/a.m3u8?token=bad%00%0d%0a%ff%${'%25'.repeat(300)}` },
  { what: 'odd characters', uri: '/live/a.m3u8?token=bad[]{}|\\^`"<>' },
  { what: 'deep brackets', uri: `/live/a.m3u8?token${'[a]'.repeat(300)}=bad` },
]

/**
 * Asks with each shape, each time as another viewer of one network.
 * @returns the answers, by status and reason
 */
async function attack(gate: WatchedGate): Promise<Map<string, string[]>> {
  const came = new Map<string, string[]>()
  for (const [n, { what, uri, userAgent = 'attacker' }] of shapes.entries()) {
    const address = `2001:db8:0:${n.toString(16)}::1`
    const { status, reason } = await askGate(gate.port, { uri, userAgent: `${userAgent}${n}`, address })
    came.set(`${status} ${reason}`, [...(came.get(`${status} ${reason}`) ?? []), what])
  }
  return came
}

for (const [name, start] of Object.entries(backends)) {
  for (const defaultAction of ['allow', 'deny'].slice(0, rounds(1, 2))) {
    test(`${name}, DEFAULT_ACTION=${defaultAction}: no shape of question gets in, and none shuts others out`, async (t) => {
      const { url } = await start(t)
      const gate = await startWatchedGate(t, {
        BACKEND_URL: `${url}/auth`,
        DEFAULT_ACTION: defaultAction,
        UNAVAILABLE_STATUS: '502 503 504',
      })
      const came = await attack(gate)
      t.diagnostic(JSON.stringify(Object.fromEntries(came)))
      for (const [answer, which] of came)
        assert.match(answer, /^403 (?:backend-4|question-refused)/, `${which}`)
      assert.equal((await gate.backend()).breaker, 'closed')
      const newcomers = Array.from({ length: 200 }, (_, n) =>
        askGate(gate.port, { uri: `/live/a.m3u8?token=good${n}`, address: `198.51.${n}.1` }),
      )
      const refused = (await Promise.all(newcomers)).filter(({ status }) => status !== 200)
      assert.deepEqual(refused, [])
    })
  }
}
