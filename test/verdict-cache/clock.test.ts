import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readPage } from '../support/documentation/pages.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import type { Scope } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer } from '../support/viewer.ts'

const files = { '/live/index.m3u8': '#EXTM3U\n', '/live/1.ts': 'G' }

/** An nginx with the verdict cache whose wall clock can be set; its timers stay as they are. */
async function startMovable(
  scope: Scope,
  gate: string,
): Promise<{ nginx: Nginx; setClock(offset: string): void }> {
  const library = readdirSync('/usr/lib')
    .map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`)
    .find(existsSync)
  assert.ok(library !== undefined, 'the package faketime is needed')
  const offset = join(makeTemporaryFolder(scope), 'offset')
  const setClock = (text: string): void => writeFileSync(offset, `${text}\n`)
  setClock('+0s')
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  const main = Object.keys(env)
    .map((name) => `env ${name};`)
    .join(' ')
  return { nginx: await startNginx(scope, { gates: [gate], verdictCache: true, files, env, main }), setClock }
}

test('after a clock was set back, what docs/nginx.md tells to run ends the verdicts that would count too long', async (t) => {
  const site = await startSite(t, { environment: { ALLOW_TTL: '4s' } })
  site.backend.answer = hasToken('good')
  const { nginx, setClock } = await startMovable(t, site.gate.address)
  const viewer = createViewer(t, nginx)
  const play = async (): Promise<number[]> => [
    await viewer.get('/live/index.m3u8?token=good'),
    await viewer.get('/live/1.ts'),
  ]
  assert.deepEqual(await play(), [200, 200])
  setClock('-3600s')
  site.backend.answer = hasToken('another')
  // With its jitter, and with what nginx adds because it counts whole seconds.
  const ended = performance.now() + 6_000
  // What docs/nginx.md warns of: nginx knows no other clock.
  while (performance.now() < ended) {
    assert.deepEqual(await play(), [200, 200])
    await delay(100)
  }

  const block = readPage('docs/nginx.md').blocks.find(({ text }) => text.includes('-delete'))
  const script = (block?.text ?? '')
    .replace('/run/alta-auth-verdicts', nginx.verdicts)
    .replace('nginx -s reload', `kill -HUP ${nginx.child.process.pid}`)
  assert.ok(script.includes(nginx.verdicts) && script.includes('kill -HUP'), script)
  execFileSync('sh', ['-e', '-c', script])
  // The last connection of the old worker ends with it.
  const again = (): Promise<number[]> => play().catch(() => [])
  await until('the revoked token to be refused', async () => String(await again()) === '403,403')
  assert.equal(
    await createViewer(t, nginx, { userAgent: newViewer() }).get('/live/index.m3u8?token=another'),
    200,
  )
})
