import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findFreePort } from '../support/free-port.ts'
import { startNginx } from '../support/nginx.ts'
import { startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer } from '../support/viewer.ts'

const has = /token=good/

/** What nginx with these lines writes to its error log about a missing file, and about a missing gate. */
const rows = [
  ['level error', 'error', '', has, has],
  ['level error and log_not_found off', 'error', 'log_not_found off;', /^$/, has],
  ['level crit', 'crit', '', /^$/, /^$/],
] as const

test("nginx's error log holds tokens as docs/access-log.md tells", async (t) => {
  const site = await startSite(t)
  site.backend.answer = hasToken('good')
  const absent = `127.0.0.1:${await findFreePort()}`
  for (const [what, level, lines, notFound, noGate] of rows)
    for (const [gate, status, expected] of [
      [site.gate.address, 404, notFound],
      [absent, 403, noGate],
    ] as const) {
      const file = join(makeTemporaryFolder(t), 'error.log')
      const server = `error_log ${file} ${level}; location /live/ { LOCATION ${lines} }`
      const nginx = await startNginx(t, { gates: [gate], server })
      assert.equal(await createViewer(t, nginx).get('/live/missing.ts?token=good'), status)
      assert.match(readFileSync(file, 'utf8'), expected, `${what}: ${status}`)
    }
})
