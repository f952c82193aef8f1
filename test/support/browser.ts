import { type Browser, chromium } from 'playwright-core'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

const switches = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]

/** Debian's Chromium without a window; its profile lies in a folder that is gone when the scope ends. */
export async function startBrowser(scope: Scope, more: readonly string[] = []): Promise<Browser> {
  const folder = makeTemporaryFolder(scope)
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder }
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [...switches, ...more],
    env,
  })
  scope.after(() => browser.close())
  return browser
}
