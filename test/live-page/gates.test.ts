import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { storeSentence } from '../../live-page/store-sentence.js'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { startBrowser } from '../support/browser.ts'
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

describe('the live page of gates that share a store', () => {
  const shared = forSuite(async (scope) => {
    const [browser, backend] = await Promise.all([startBrowser(scope), startBackend(scope)])
    backend.answer = byToken
    return { browser, backend }
  })
  const settings = (): Record<string, string> => ({
    BACKEND_URL: shared.backend.url,
    CHANNEL_PATTERN: '^/live/([^/]+)/',
  })

  test('shows its own sessions, who is there, and what a search finds at all gates', async (t) => {
    const { all, add, valkey } = await startGates(t, settings(), ['north', 'south'] as const)
    const [north, south] = all
    for (const user of ['anna', 'ben']) await play(user === 'anna' ? north : south, user)
    const tab = await openLivePage(t, shared.browser, adminUrl(north.gate))
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
    const tab = await openLivePage(t, shared.browser, adminUrl(gate))
    await tab.lists('sessions', /^anna /)
    assert.equal(await tab.page.isVisible('#gates-card'), false)
  })
})

describe('the notice of a store', () => {
  const time = '2026-11-28T12:10:00.000Z'
  const since = '2026-11-28T12:00:00.000Z'
  const gates = { name: 'north', away: false, all: [], misfits: [] }

  test('that gates share says that this gate is alone, and what that means', () => {
    const state = { usable: false, since, message: 'it does not answer' }
    const notice = storeSentence({ time, state, gates: { ...gates, away: true } })
    assert.match(notice, /^Since \d\d:\d\d:\d\d this gate is alone: it does not answer\. Who plays goes on\./)
    assert.match(storeSentence({ time, state }), /sessions are not kept/)
  })

  test('says that new sessions are not kept, and nothing while all is well', () => {
    const full = { usable: true, since, why: 'full', message: 'STATE_MAX is reached' }
    assert.match(storeSentence({ time, state: full }), /STATE_MAX is reached/)
    assert.equal(storeSentence({ time, gates, state: { usable: true, since } }), '')
  })
})
