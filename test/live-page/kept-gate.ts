import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { type Backend, startBackend } from '../support/backend.ts'
import { type KeptGate, startKeptGate } from '../support/kept-gate.ts'
import { openLivePage } from '../support/live-page-tab.ts'
import { forSuite } from '../support/scope.ts'
import { type StoredGate, startStoredGate } from '../support/stored-gate.ts'

/** Names the user in the token. */
const byToken: Backend['answer'] = ({ target }, response) => {
  const user = /[?&]token=(\w+)/.exec(target)?.[1] ?? ''
  response.writeHead(200, { 'X-UserId': user, 'X-AuthDuration': '600' }).end()
}

/** The gate may be gone before the tab is. */
const forgiven = /ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_REFUSED/
const settings = { CHANNEL_PATTERN: '^/live/([^/]+)/' }

type AnyGate = Pick<KeptGate | StoredGate, 'adminPort' | 'ask'>

const play = async (gate: AnyGate, user: string): Promise<string> =>
  (await gate.ask({ uri: `/live/news/index.m3u8?token=${user}`, userAgent: `VLC/${user}` })).reason

const urlOf = ({ adminPort }: AnyGate): string => `http://127.0.0.1:${adminPort}`

/** The live page of a gate with a store of its own. */
export function pageOfStore(shared: { readonly browser: Browser }): void {
  describe('the live page of a gate with a store', { concurrency: 1 }, () => {
    const backend = forSuite(async (scope) => {
      const backend = await startBackend(scope)
      backend.answer = byToken
      return backend
    })

    test('shows adopted sessions as they come back after a restart', async (t) => {
      const gate = await startKeptGate(t, {
        ...{ BACKEND_URL: backend.url, STATE_TIMEOUT: '1s' },
        ...settings,
      })
      for (const user of ['anna', 'ben', 'carla']) assert.equal(await play(gate, user), 'backend-200')
      await gate.restart('SIGTERM')
      const tab = await openLivePage(t, shared.browser, urlOf(gate), { forgiven })
      await tab.reads('#link-text', /^Live$/)
      await tab.reads('#no-sessions', /Nobody is playing/)
      for (const user of ['anna', 'ben']) assert.equal(await play(gate, user), 'adopted')
      await tab.lists('sessions', /^anna adopted news /)
      await tab.lists('sessions', /^ben adopted news /)
      assert.equal(await play(gate, 'dora'), 'backend-200')
      await tab.lists('sessions', /^dora +news /)
      assert.equal(await tab.page.isVisible('#store-notice'), false)
    })

    test('a session that ends and is resumed at once stays in the list, with its part', async (t) => {
      const gate = await startStoredGate(t, {
        ...{ BACKEND_URL: backend.url, SESSION_IDLE: '3s' },
        ...settings,
      })
      const tab = await openLivePage(t, shared.browser, urlOf(gate), { forgiven })
      await tab.reads('#link-text', /^Live$/)
      assert.equal(await play(gate, 'anna'), 'backend-200')
      await tab.lists('sessions', /^anna +news /)
      // Where the gate has not swept yet, this request ends the session and resumes it.
      await delay(3_100)
      assert.equal(await play(gate, 'anna'), 'resumed')
      await tab.lists('sessions', /^anna resumed, part 2 news /)
    })

    test('says that the store cannot be used, why, and that a close is not written', async (t) => {
      const first = await startKeptGate(t, { BACKEND_URL: backend.url, ...settings })
      const { STATE_URL = '' } = first.environment
      const gate = await startKeptGate(t, { BACKEND_URL: backend.url, STATE_URL, ...settings })
      const tab = await openLivePage(t, shared.browser, urlOf(gate), { forgiven })
      await tab.reads(
        '#store-notice',
        /^Since \d\d:\d\d:\d\d sessions are not kept: the store .*another process/,
      )
      assert.equal(await play(gate, 'anna'), 'backend-200')
      await tab.pressIn('sessions', /anna/)
      await tab.page.click('#close')
      await tab.reads('#closing-said', /^The session is closed here, but not written yet.*another process/)
      await tab.listsNot('sessions', /anna/)
      assert.equal(await tab.page.isVisible('#close'), false)
      assert.equal(await tab.focused(), 'Done')
      await tab.page.keyboard.press('Enter')
      await tab.until('the dialog to close', `!document.querySelector('#closing').open`)

      await first.end('SIGTERM')
      await tab.until('the notice to go', `document.querySelector('#store-notice').hidden`)
      assert.equal(await play(gate, 'ben'), 'backend-200')
      await tab.pressIn('sessions', /ben/)
      await tab.page.click('#close')
      await tab.listsNot('sessions', /ben/)
      await tab.until('the dialog to close', `!document.querySelector('#closing').open`)
    })
  })
}
