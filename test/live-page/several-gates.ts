import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { type NamedGate, startGates } from '../support/gates.ts'
import { adminUrl, openLivePage } from '../support/live-page-tab.ts'
import { forSuite } from '../support/scope.ts'

/** Names the user in the token. */
const byToken: Backend['answer'] = ({ target }, response) => {
  const user = /[?&]token=(\w+)/.exec(target)?.[1] ?? ''
  response.writeHead(200, { 'X-UserId': user, 'X-AuthDuration': '600' }).end()
}

const play = ({ gate }: NamedGate, user: string): Promise<unknown> =>
  askGate(gate.port, { uri: `/live/news/index.m3u8?token=${user}`, userAgent: `VLC/${user}` })

/** A gate may be gone before the tab is. */
const forgiven = /ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_REFUSED/

/** The live page of gates that share a store, and of one that does not. */
export function pageOfSeveralGates(shared: { readonly browser: Browser }): void {
  describe('the live page of gates that share a store', { concurrency: 1 }, () => {
    const backend = forSuite(async (scope) => {
      const backend = await startBackend(scope)
      backend.answer = byToken
      return backend
    })
    const settings = (): Record<string, string> => ({
      BACKEND_URL: backend.url,
      CHANNEL_PATTERN: '^/live/([^/]+)/',
    })

    test('shows its own sessions, who is there, and what a search finds at all gates', async (t) => {
      const { all, add, valkey } = await startGates(t, settings(), ['north', 'south'] as const)
      const [north, south] = all
      for (const user of ['anna', 'ben']) await play(user === 'anna' ? north : south, user)
      const tab = await openLivePage(t, shared.browser, adminUrl(north.gate), { forgiven })
      await tab.reads('#gate', /^north · 127\.0\.0\.1/)
      await tab.lists('sessions', /^anna /)
      await tab.reads('#gates', /north this one\s+is there.+south\s+is there/s)
      await tab.page.fill('#search-gates input', 'ben')
      await tab.page.click('#search-gates button')
      await tab.reads('#found', /south\s+ben\s+news/)
      await add('west')
      await tab.reads('#gates', /west\s+is there/)
      await south.gate.service.stop()
      await tab.until('the box to forget it', `!document.querySelector('#gates').innerText.includes('south')`)
      await valkey.kill()
      await tab.reads('#gates', /west\s+cannot be asked/)
    })

    test('of a gate alone has no box of gates', async (t) => {
      const gate = await startGate(t, { ADMIN_LISTEN: '127.0.0.1:0', ...settings() })
      await askGate(gate.port, { uri: '/live/news/index.m3u8?token=anna', userAgent: 'VLC/anna' })
      const tab = await openLivePage(t, shared.browser, adminUrl(gate), { forgiven })
      await tab.lists('sessions', /^anna /)
      assert.equal(await tab.page.isVisible('#gates-card'), false)
    })
  })
}
