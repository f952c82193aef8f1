import type { Page } from 'playwright-core'
import { until } from './until.ts'

/** The most milliseconds that a page on a busy machine may take for anything. */
const PATIENCE = 60_000

/** The demo's page in a tab, as a person sees it. */
export interface DemoTab {
  readonly page: Page
  /** Seconds that were really shown. */
  played(): Promise<number>
  /** Waits until so many more seconds were shown. */
  playOn(seconds: number): Promise<void>
  /** Waits until an element's text matches. */
  reads(selector: string, text: RegExp): Promise<void>
  /** Waits for a row of the decisions that matches; its cells are joined by blanks. */
  decided(row: RegExp): Promise<void>
  choose(token: 'valid token' | 'wrong token' | 'no token'): Promise<void>
  press(button: string): Promise<void>
}

const sumOfPlayed = `(() => {
  const { played } = document.querySelector('video')
  let sum = 0
  for (let at = 0; at < played.length; at++) sum += played.end(at) - played.start(at)
  return sum
})()`

export async function openDemo(page: Page, url: string): Promise<DemoTab> {
  page.setDefaultTimeout(PATIENCE)
  await page.goto(`${url}/`)
  const wait = async (what: string, expression: string, shown: string): Promise<void> => {
    // Not waitForFunction, because the page's own policy (CSP) forbids what that does.
    try {
      await until(what, () => page.evaluate<boolean>(expression), PATIENCE)
    } catch (error) {
      throw new Error(`${error}; the page shows\n${await page.locator(shown).allInnerTexts()}`)
    }
  }
  const played = (): Promise<number> => page.evaluate<number>(sumOfPlayed)
  return {
    page,
    played,
    async playOn(seconds) {
      const until = (await played()) + seconds
      await wait(`${seconds} s of picture`, `${sumOfPlayed} > ${until}`, 'body')
    },
    reads: (selector, text) =>
      wait(
        `${selector} to read ${text}`,
        `${text}.test(document.querySelector('${selector}').innerText)`,
        'body',
      ),
    decided: (row) =>
      wait(
        `a decision ${row}`,
        `[...document.querySelectorAll('#decisions tr')].some((row) =>
          ${row}.test([...row.cells].map((cell) => cell.innerText.replaceAll('\\n', ' ')).join(' ')))`,
        '#decisions',
      ),
    choose: (token) => page.getByLabel(token).check({ force: true }),
    press: (button) => page.getByRole('button', { name: button, exact: true }).click(),
  }
}
