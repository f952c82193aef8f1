import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { boxFiles, startBoxes } from '../support/boxes.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
import { startPortal } from '../support/portal.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const BOXES = 20

describe('a gate that is started with other settings', () => {
  /** Plays under the first settings, then under others, then under the first again; all with dead links. */
  const playUnder = async (
    t: TestContext,
    changed: (folder: string) => Readonly<Record<string, string>>,
  ): Promise<{ readonly between: readonly string[]; readonly after: readonly string[] }> => {
    const portal = await startPortal(t)
    const folder = makeTemporaryFolder(t)
    const port = await findFreePort()
    const settings = {
      LISTEN: `127.0.0.1:${port}`,
      BACKEND_URL: portal.backend.url,
      MIDDLEWARE: 'ministra',
      STATE_URL: `file:${folder}/state`,
      // A busy machine is no store that is late: that one is asked beside the backend.
      STATE_TIMEOUT: '1s',
      // A deny must not outlive the gate that gave it.
      DENY_TTL: '1ms',
    }
    const nginx = await startNginx(t, { gates: [`127.0.0.1:${port}`], files: boxFiles })
    const boxes = startBoxes(t, nginx, { count: BOXES, links: portal.links, connections: 4 })
    const first = await startGate(t, settings)
    const opened = await boxes.open()
    assert.deepEqual(opened, { 200: BOXES }, nginx.accessLog().join('\n'))
    portal.killLinks()
    await first.service.stop()

    const second = await startGate(t, { ...settings, ...changed(folder) })
    const between = Object.keys(await boxes.round())
    await second.service.stop()

    const third = await startGate(t, settings)
    const before = portal.backend.asked.length
    const after = Object.keys(await boxes.round())
    assert.equal(portal.backend.asked.length, before, 'no question under the first settings')
    await third.service.stop()
    return { between, after }
  }

  test('the same settings: all go on', async (t) => {
    assert.deepEqual(await playUnder(t, () => ({})), { between: ['200'], after: ['200'] })
  })

  test('settings that change no verdict: all go on', async (t) => {
    const others = { SESSION_IDLE: '3m', DEFAULT_ACTION: 'allow', STATE_MAX: '32m', LOG_LEVEL: 'error' }
    assert.deepEqual(await playUnder(t, () => others), { between: ['200'], after: ['200'] })
  })

  const revoking: [string, (folder: string) => Readonly<Record<string, string>>][] = [
    ['another STATE_URL', (folder) => ({ STATE_URL: `file:${folder}/another` })],
    ['STATE_URL=off', () => ({ STATE_URL: 'off' })],
    ['another CHANNEL_PATTERN', () => ({ CHANNEL_PATTERN: '^/live/([^/]+)/' })],
    ['another TOKEN_PARAM', () => ({ TOKEN_PARAM: 'token key' })],
    ['another CREDENTIAL_PATTERN', () => ({ CREDENTIAL_PATTERN: '^/vod/([^/]+)/' })],
  ]
  for (const [what, changed] of revoking)
    test(`${what}: nobody is adopted, and under the first settings all go on`, async (t) => {
      assert.deepEqual(await playUnder(t, changed), { between: ['403'], after: ['200'] })
    })
})
