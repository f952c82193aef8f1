import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { listenOnLoopback } from '../support/listen-on-loopback.ts'
import { forSuite, suiteScope } from '../support/scope.ts'

/**
 * All that a page can do to reach another address: its scripts, its pictures, its frames. It runs in the page
 * and returns what was reached.
 */
const attackOn = (target: string): string => `(async () => {
  const outcomes = []
  const ask = async (path, init) => {
    outcomes.push(await fetch('${target}' + path, init).then(
      async (answer) => [answer.type, answer.status, await answer.text()].join(' '),
      (error) => String(error),
    ))
  }
  await ask('/sessions', {})
  await ask('/sessions', { mode: 'no-cors' })
  await ask('/sessions?address=192.0.2.1', { method: 'DELETE' })
  await ask('/sessions', { headers: { Authorization: 'Bearer x' } })
  await ask('/explain?url=http://a/fetched', { mode: 'no-cors' })
  await ask('/explain?url=http://a/unsaid', { mode: 'no-cors', referrerPolicy: 'no-referrer' })
  const load = (tag, path) => new Promise((resolve) => {
    const element = document.createElement(tag)
    element.onload = () => resolve()
    element.onerror = () => resolve()
    element.src = '${target}' + path
    document.body.append(element)
  })
  for (const tag of ['img', 'script', 'iframe']) await load(tag, '/explain?url=http://a/' + tag)
  return outcomes
})()`

/** Pages of others in the operator's browser, for which *.example.com is this machine. */
export function pagesOfOthers(shared: { readonly browser: Browser }): void {
  describe('a website that the operator visits', { concurrency: 1 }, () => {
    const scope = suiteScope()
    const backend = forSuite((own) => startBackend(own))
    const site = forSuite((own) => startAdminGate(own, { BACKEND_URL: backend.url }))
    let page: Page
    let elsewhere: string
    before(async () => {
      const evil = createServer((_request, response) => {
        response.setHeader('Content-Type', 'text/html').end('<title>evil</title><body>')
      })
      elsewhere = `:${(await listenOnLoopback(scope, evil)).port}/`
      page = await shared.browser.newPage()
      scope.after(() => page.close())
      await askGate(site.gate.port)
    })

    const assertUntouched = async (outcomes: readonly string[], asked: number): Promise<void> => {
      assert.equal(outcomes.length, 6)
      assert.doesNotMatch(outcomes.join('\n'), /"total"|192\.0\.2\.1|basic 200|cors 200/, outcomes.join('\n'))
      assert.equal(
        ((await site.admin('GET /sessions')).json as { total: number }).total,
        1,
        'nothing was closed',
      )
      assert.equal(backend.asked.length, asked, 'nobody was asked')
    }

    for (const [what, host] of [
      ['another site', 'evil.example.com'],
      ['another port of this machine', '127.0.0.1'],
    ] as const) {
      test(`on ${what} reads nothing, closes nothing and asks nothing`, async () => {
        await page.goto(`http://${host}${elsewhere}`)
        const asked = backend.asked.length
        for (const target of ['127.0.0.1', 'localhost', '0.0.0.0', '[::ffff:0:0]', '[::ffff:127.0.0.1]']) {
          const attack = attackOn(`http://${target}:${site.adminPort}`)
          await assertUntouched(await page.evaluate<string[]>(attack), asked)
        }
      })
    }

    test('whose name suddenly means this machine does no more', async () => {
      const target = `http://evil.example.com:${site.adminPort}`
      // The page itself is not secret.
      assert.equal((await page.goto(`${target}/`))?.status(), 200)
      const asked = backend.asked.length
      const outcomes = await page.evaluate(async (path) => {
        const answer = await fetch(path)
        return [answer.status, await answer.text()] as const
      }, '/sessions')
      assert.equal(outcomes[0], 403)
      assert.match(outcomes[1], /IP address or localhost/)
      for (const [path, method] of [
        ['/sessions?address=192.0.2.1', 'DELETE'],
        ['/explain?url=http://a/b', 'GET'],
        ['/events', 'GET'],
        ['/metrics', 'GET'],
        ['/denials', 'GET'],
      ])
        assert.equal(
          await page.evaluate(
            async ([to, how]) => (await fetch(to ?? '', { method: how ?? '' })).status,
            [path, method],
          ),
          403,
        )
      await assertUntouched(['', '', '', '', '', ''], asked)
    })

    test('is no obstacle to the page itself', async () => {
      for (const host of ['127.0.0.1', 'localhost']) {
        await page.goto(`http://${host}:${site.adminPort}/`)
        assert.equal(await page.evaluate(async () => (await fetch('/sessions')).status), 200)
        assert.equal(
          await page.evaluate(async () => (await fetch('/sessions/none', { method: 'DELETE' })).status),
          404,
        )
      }
    })
  })
}
