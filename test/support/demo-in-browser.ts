import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { startBrowser } from './browser.ts'
import { type DemoTab, openDemo } from './demo-tab.ts'
import type { Scope } from './scope.ts'
import { type StartedDemo, startDemo } from './started-demo.ts'

export interface DemoInBrowser {
  readonly browser: Browser
  /** `openDemoTab` in this browser. */
  open(t: TestContext, options?: BrowserContextOptions): Promise<DemoTab>
}

/** The demo, and a browser to look at it. */
export async function startDemoInBrowser(scope: Scope): Promise<DemoInBrowser> {
  const [demo, browser] = await Promise.all([startDemo(scope), startBrowser(scope)])
  return { browser, open: (t, options) => openDemoTab(t, browser, demo, options) }
}

/**
 * A tab in a browser profile of its own. The page must log no error, and must load nothing from outside the
 * demo.
 */
export async function openDemoTab(
  t: TestContext,
  browser: Browser,
  demo: StartedDemo,
  options: BrowserContextOptions = {},
): Promise<DemoTab> {
  const context = await browser.newContext({ colorScheme: 'light', ...options })
  const complaints: string[] = []
  const page = await context.newPage()
  page.on('pageerror', (error) => void complaints.push(String(error)))
  page.on('request', (request) => {
    const isOwn = /^(?:blob|data):/.test(request.url()) || request.url().startsWith(`${demo.url}/`)
    if (!isOwn) complaints.push(`asked ${request.url()}`)
  })
  t.after(async () => {
    await context.close()
    assert.deepEqual(complaints, [])
  })
  return openDemo(page, demo.url)
}
