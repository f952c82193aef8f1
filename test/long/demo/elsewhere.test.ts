import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBrowser } from '../../support/browser.ts'
import { startChild } from '../../support/child.ts'
import { openDemo } from '../../support/demo-tab.ts'
import { findFreePort } from '../../support/free-port.ts'
import { startSite } from '../../support/site.ts'
import { hasToken } from '../../support/token-backend.ts'
import { until } from '../../support/until.ts'

const program = fileURLToPath(new URL('../../../demo/serve-page.ts', import.meta.url))
const types = 'types { text/html html; text/css css; text/javascript js; image/svg+xml svg; }'

test('the page of an nginx that runs elsewhere plays, lists decisions, and shows commands in place of buttons', async (t) => {
  const port = await findFreePort()
  const { nginx, backend } = await startSite(t, {
    nginx: {
      http: types,
      server: `
        location / { }
        location /live/ { LOCATION }
        location /demo/ { proxy_pass http://127.0.0.1:${port}; proxy_set_header Host $http_host; }
      `,
    },
  })
  backend.answer = hasToken('123')
  const env = {
    PATH: process.env['PATH'] ?? '',
    DOCUMENT_ROOT: nginx.root,
    ACCESS_LOG: join(nginx.root, '..', 'access.log'),
    LISTEN: `127.0.0.1:${port}`,
  }
  const child = startChild(t, process.execPath, ['--import', 'tsx', program], { env })
  await until('it to listen', () => child.output().includes('the decisions are at'), 30_000)

  const browser = await startBrowser(t)
  const tab = await openDemo(await browser.newPage(), nginx.url)
  await tab.playOn(3)
  await tab.decided(/allow session riding .* \/live\/test\/\d+\.ts/)
  await tab.reads('#commands', /docker compose stop backend.*docker compose start backend/s)
  assert.equal(await tab.page.isVisible('#buttons'), false)
  assert.equal(await tab.page.getByRole('button', { name: /^Copy: / }).count(), 3)

  // This nginx sends no headers about its decision: the status alone is shown.
  await tab.choose('no token')
  await tab.press('Play')
  await tab.reads('#refusal', /^403/)
  await tab.reads('#status', /^403, refused\.$/)
})
