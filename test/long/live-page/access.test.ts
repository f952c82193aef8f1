import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSession, viewer } from '../../support/busy-audience.ts'
import { startBusyGate } from '../../support/busy-gate.ts'
import { faintTexts } from '../../support/contrast.ts'
import { findFreePort } from '../../support/free-port.ts'
import { startGate } from '../../support/gate.ts'
import { openGateLines } from '../../support/gate-lines.ts'
import { adminUrl, openLivePage } from '../../support/live-page-tab.ts'
import { forSuite, suiteScope } from '../../support/scope.ts'

describe('the live page and its gate', () => {
  const scope = suiteScope()
  const busy = forSuite((scope) => startBusyGate(scope))

  test('when the gate is restarted, the page says so, comes back by itself, and shows the new sessions', async (t) => {
    const ports = {
      LISTEN: `127.0.0.1:${await findFreePort()}`,
      ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}`,
    }
    const start = () => startGate(scope, { BACKEND_URL: `${busy.backend.url}/auth`, ...ports })
    const first = await start()
    const lines = openGateLines(scope, first.port)
    const { page, ...tab } = await openLivePage(t, busy.browser, adminUrl(first), { forgiven: /ERR_/ })
    await openSession(lines, 1)
    await lines({ ...viewer(3), uri: '/live/old/index.m3u8?token=bad' })
    await tab.lists('sessions', new RegExp(viewer(1).user))
    await tab.lists('denials', /old/)
    await first.service.stop()
    await tab.reads(
      '#link-text',
      /^Reconnecting in \d+ s: the gate (?:does not answer|has ended the connection)$/,
    )
    assert.deepEqual([await page.isVisible('#try-now'), await faintTexts(page)], [true, []])
    await tab.reads('#link-text', /does not answer/)

    const second = await start()
    const again = openGateLines(scope, second.port)
    await openSession(again, 2)
    await tab.reads('#link-text', /^Live$/)
    await tab.lists('sessions', new RegExp(viewer(2).user))
    await tab.listsNot('sessions', new RegExp(viewer(1).user))
    await tab.listsNot('denials', /old/)
    await again({ ...viewer(3), uri: '/live/new/index.m3u8?token=bad' })
    await tab.lists('denials', /new/)
  })

  test('while unknown viewers are let in, the page is loud about it', async (t) => {
    const down = await findFreePort()
    const open = await startGate(scope, {
      BACKEND_URL: `http://127.0.0.1:${down}/auth`,
      ADMIN_LISTEN: '127.0.0.1:0',
      DEFAULT_ACTION: 'allow',
    })
    const tab = await openLivePage(t, busy.browser, adminUrl(open))
    await tab.reads('#action-means', /^in an outage unknown viewers get in$/)
    assert.equal(await tab.page.isVisible('#banner'), false)
    await openSession(openGateLines(scope, open.port), 1)
    await tab.until('the notice', `document.querySelector('#banner').checkVisibility()`)
    await tab.reads(
      '#banner',
      /^Unknown viewers are being let in: .*“allow”\. 1 provisional session now, 1 let in/,
    )
    await tab.lists('sessions', /^– provisional /)
    await tab.reads('#provisional', /^1$/)
    await tab.pressIn('sessions', /./)
    await tab.reads('#closing', /lets this one in again/)
  })
})
