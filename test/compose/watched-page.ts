import type { Page } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

/** What the list of decisions holds, with a space between its parts. */
const cells = `Array.from(document.querySelectorAll('#decisions td > *'), (part) => part.textContent)
  .filter((text) => text !== '').join(' ')`

/** The page of a stack in Chromium. */
export interface WatchedPage {
  readonly page: Page
  /** Resolves when the video has played so many seconds more, without skipped ones. */
  playsOn(seconds: number): Promise<void>
  /** Resolves when the list of decisions holds this. */
  decided(what: RegExp): Promise<void>
}

/**
 * Opens the page. It plays by itself, with a valid token.
 * @param patience milliseconds for what is waited for
 */
export async function watchPage(scope: Scope, port: number, patience: number): Promise<WatchedPage> {
  const page = await (await startBrowser(scope)).newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  // A string, because the page's types are not ours. A new URL begins anew, so the page itself adds up.
  await page.evaluate(`(() => {
    const video = document.querySelector('video')
    let last = video.currentTime
    window.watched = 0
    video.addEventListener('timeupdate', () => {
      const step = video.currentTime - last
      last = video.currentTime
      if (step > 0 && step < 1) window.watched += step
    })
  })()`)
  const watched = (): Promise<number> => page.evaluate('window.watched')
  return {
    page,
    async playsOn(seconds) {
      const from = await watched()
      await until(
        `${seconds} more seconds of picture`,
        async () => (await watched()) > from + seconds,
        patience,
      )
    },
    decided: (what) =>
      until(`${what} in the list`, async () => what.test(await page.evaluate(cells)), patience),
  }
}
