import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type * as Shown from '../../live-page/messages.js'
import type { DescribedHealth } from '../../src/admin/describe-health.ts'
import type { LiveState } from '../../src/admin/live-state.ts'
import type { RecentDenial } from '../../src/admin/recent-denials.ts'
import type { SessionView } from '../../src/session/session-view.ts'
import type { Gate } from './gate.ts'
import { until } from './until.ts'

/** The most milliseconds that a page on a busy machine may take for anything. */
const PATIENCE = 60_000

/** The live page in a tab, as a person sees it. */
export interface LivePageTab {
  readonly page: Page
  /** The text that a person reads there. */
  text(selector: string): Promise<string>
  /** The text of the element with the focus. */
  focused(): Promise<string>
  /** Waits until an element's text matches. */
  reads(selector: string, text: RegExp): Promise<void>
  /** Waits for an expression of the page to be true. */
  until(what: string, expression: string): Promise<void>
  /** Waits for a row of the sessions (or denials) that matches; its cells are joined by blanks. */
  lists(rows: 'sessions' | 'denials', row: RegExp): Promise<void>
  /** Waits until no row matches. */
  listsNot(rows: 'sessions' | 'denials', row: RegExp): Promise<void>
  /** Presses a button of the row that matches. */
  pressIn(rows: 'sessions' | 'denials', row: RegExp): Promise<void>
}

type Holds<Told extends Read, Read> = Told
/** What the page reads has the type of what the gate sends: the compiler checks that. */
export type ReadAsTold = [
  Holds<SessionView, Shown.SessionView>,
  Holds<RecentDenial, Shown.Denial>,
  Holds<DescribedHealth, Pick<Shown.BackendState, 'state' | 'reason' | 'why' | 'seconds'>>,
  Holds<Omit<LiveState, 'backends'>, Omit<Shown.GateState, 'backends'>>,
]

const selectors = { sessions: '#grid .rows .line', denials: '#denials tr' }

export function adminUrl(gate: Gate): string {
  if (gate.adminPort === 0) throw new Error('this gate has no admin listener')
  return `http://127.0.0.1:${gate.adminPort}`
}

/**
 * Opens the page in a browser profile of its own. It must log no error, and must load nothing from other
 * hosts. `forgiven` are errors that the test itself causes.
 */
export async function openLivePage(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { readonly forgiven?: RegExp } = {},
): Promise<LivePageTab> {
  const { forgiven, ...ofContext } = options
  const context = await browser.newContext({ colorScheme: 'light', ...ofContext })
  const complaints: string[] = []
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  page.on('pageerror', (error) => void complaints.push(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('dialog', (dialog) => void complaints.push(`dialog ${dialog.message()}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('data:'))
      complaints.push(`asked ${request.url()}`)
  })
  t.after(async () => {
    await context.close()
    assert.deepEqual(
      complaints.filter((complaint) => forgiven?.test(complaint) !== true),
      [],
    )
  })
  await page.goto(`${url}/`)
  return livePageTab(page)
}

function livePageTab(page: Page): LivePageTab {
  const wait = async (what: string, expression: string): Promise<void> => {
    // Not waitForFunction, because the page's own policy (CSP) forbids what that does.
    try {
      await until(what, () => page.evaluate<boolean>(expression), PATIENCE)
    } catch (error) {
      throw new Error(`${error}; the page shows\n${await page.locator('body').allInnerTexts()}`)
    }
  }
  const texts = (rows: keyof typeof selectors): string =>
    `[...document.querySelectorAll('${selectors[rows]}')].map((row) =>
      [...row.children].filter((cell) => cell.checkVisibility()).map((cell) => cell.innerText.replaceAll('\\n', ' ')).join(' '))`
  return {
    page,
    text: (selector) => page.evaluate<string>(`document.querySelector('${selector}').innerText`),
    focused: () => page.evaluate<string>('document.activeElement.innerText'),
    reads: (selector, text) =>
      wait(`${selector} to read ${text}`, `${text}.test(document.querySelector('${selector}').innerText)`),
    until: wait,
    lists: (rows, row) => wait(`${rows} to list ${row}`, `${texts(rows)}.some((text) => ${row}.test(text))`),
    listsNot: (rows, row) =>
      wait(`${rows} not to list ${row}`, `!${texts(rows)}.some((text) => ${row}.test(text))`),
    pressIn: (rows, row) =>
      page.locator(selectors[rows], { hasText: row }).first().getByRole('button').click(),
  }
}
