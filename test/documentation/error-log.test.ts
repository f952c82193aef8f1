import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { findFreePort } from '../support/free-port.ts'
import { startNginx } from '../support/nginx.ts'
import { startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer } from '../support/viewer.ts'

const missing = '/live/missing.ts?token=good'

/** What nginx with these lines writes to its error log about a missing file and about a missing gate. */
async function logsWith(
  t: TestContext,
  level: string,
  lines: string,
): Promise<{ notFound: string; noGate: string }> {
  const site = await startSite(t)
  site.backend.answer = hasToken('good')
  const logOf = async (gate: string, status: number): Promise<string> => {
    const file = join(makeTemporaryFolder(t), 'error.log')
    const server = `error_log ${file} ${level}; location /live/ { LOCATION ${lines} }`
    const nginx = await startNginx(t, { gates: [gate], server })
    assert.equal(await createViewer(t, nginx).get(missing), status)
    return readFileSync(file, 'utf8')
  }
  const absent = `127.0.0.1:${await findFreePort()}`
  return { notFound: await logOf(site.gate.address, 404), noGate: await logOf(absent, 403) }
}

describe("nginx's error log, as docs/access-log.md tells,", () => {
  test('holds tokens at level error', async (t) => {
    const { notFound, noGate } = await logsWith(t, 'error', '')
    assert.match(notFound, /token=good/)
    assert.match(noGate, /token=good/)
  })

  test('holds none of what is not found with log_not_found off', async (t) => {
    const { notFound, noGate } = await logsWith(t, 'error', 'log_not_found off;')
    assert.equal(notFound, '')
    assert.match(noGate, /token=good/)
  })

  test('holds none at level crit', async (t) => {
    assert.deepEqual(await logsWith(t, 'crit', ''), { notFound: '', noGate: '' })
  })
})
