import { describe } from 'node:test'
import { pagesOfOthers } from '../admin/websites.ts'
import { pageOfDemo } from '../demo/page.ts'
import { startBrowser } from '../support/browser.ts'
import { forSuite } from '../support/scope.ts'
import { pageOfStore } from './kept-gate.ts'
import { pageOfOneGate } from './one-gate.ts'
import { pageOfSeveralGates } from './several-gates.ts'

/** Looks, the keyboard and restarts, and more of the demo: test/long/live-page, test/long/demo. */
describe('our pages and those of others, in one Chromium', { concurrency: true }, () => {
  const shared = forSuite(async (scope) => ({
    browser: await startBrowser(scope, ['--host-resolver-rules=MAP *.example.com 127.0.0.1']),
  }))
  pageOfOneGate(shared)
  pageOfStore(shared)
  pageOfSeveralGates(shared)
  pageOfDemo(shared)
  pagesOfOthers(shared)
})
