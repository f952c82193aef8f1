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

    test('lists the sessions of all, each with its gate, as they come and go', async (t) => {
      const { all } = await startGates(t, settings(), ['north', 'south'] as const)
      const [north, south] = all
      for (const user of ['anna', 'ben']) await play(user === 'anna' ? north : south, user)
      const tab = await openLivePage(t, shared.browser, adminUrl(north.gate), { forgiven })
      await tab.reads('#gate', /^north · 127\.0\.0\.1/)
      await tab.lists('sessions', /^anna .* north /)
      await tab.lists('sessions', /^ben .* south /)
      await tab.until('both gates in the box', `document.querySelectorAll('#gates tr').length === 2`)
      await tab.reads('#gates', /north this one\s+answers.+south\s+answers/s)
      // At the other gate: nothing tells this page but that gate.
      await play(south, 'carla')
      await tab.lists('sessions', /^carla .* south /)
      assert.equal((await south.admin('DELETE /sessions?user=ben')).status, 200)
      await tab.listsNot('sessions', /^ben /)
      await tab.pressIn('sessions', /carla/)
      await tab.reads('#closing-facts', /Gate\s+south/)
      await tab.page.click('#close')
      await tab.listsNot('sessions', /^carla /)
      assert.equal(((await south.admin('GET /sessions?gates=this')).json as { total: number }).total, 0)
    })

    test('a gate that comes is in the list with its sessions, one that stops is not', async (t) => {
      const { all, add } = await startGates(t, settings(), ['north', 'south'] as const)
      const [north, south] = all
      await play(south, 'ben')
      const tab = await openLivePage(t, shared.browser, adminUrl(north.gate), { forgiven })
      await tab.lists('sessions', /^ben .* south /)
      const west = await add('west')
      await play(west, 'dora')
      await tab.lists('sessions', /^dora .* west /)
      await tab.reads('#gates', /west\s+answers/)
      await south.gate.service.stop()
      await tab.listsNot('sessions', /^ben /)
      await tab.until('the box to forget it', `!document.querySelector('#gates').innerText.includes('south')`)
    })

    test('says that a gate does not answer, and that none can be asked while the store is away', async (t) => {
      const { all, place } = await startGates(t, settings(), ['north', 'south'] as const)
      const [north] = all
      const tab = await openLivePage(t, shared.browser, adminUrl(north.gate), { forgiven })
      await tab.reads('#gates', /south\s+answers/)
      const letGo = place.hold(['south'])
      await tab.reads('#gates', /south\s+does not answer/)
      letGo()
      await tab.reads('#gates', /south\s+answers/)
      place.fails('refused')
      await tab.reads('#gates', /south\s+cannot be asked/)
      place.fails(undefined)
      await tab.reads('#gates', /south\s+answers/)
    })

    test('of a gate alone has neither column nor box, and the arrow keys pass the column over', async (t) => {
      const gate = await startGate(t, { ADMIN_LISTEN: '127.0.0.1:0', ...settings() })
      await askGate(gate.port, { uri: '/live/news/index.m3u8?token=anna', userAgent: 'VLC/anna' })
      const tab = await openLivePage(t, shared.browser, adminUrl(gate), { forgiven })
      await tab.lists('sessions', /^anna /)
      assert.equal(await tab.page.isVisible('#gates-card'), false)
      assert.equal(await tab.page.isVisible('.of-gate'), false)
      await tab.page.focus('.rows .of-player')
      const focused = (): Promise<string> => tab.page.evaluate<string>('document.activeElement.className')
      await tab.page.keyboard.press('ArrowRight')
      assert.equal(await focused(), 'of-since')
      await tab.page.keyboard.press('ArrowLeft')
      assert.equal(await focused(), 'of-player')
    })
  })
}
