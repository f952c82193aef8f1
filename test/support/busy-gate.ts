import type { Browser } from 'playwright-core'
import { type Backend, startBackend } from './backend.ts'
import { startBrowser } from './browser.ts'
import { namesOrNobody, openSession, viewer } from './busy-audience.ts'
import { startGate } from './gate.ts'
import { type AskOnLine, openGateLines } from './gate-lines.ts'
import { adminUrl } from './live-page-tab.ts'
import type { Scope } from './scope.ts'

export interface BusyGate {
  readonly backend: Backend
  readonly browser: Browser
  readonly ask: AskOnLine
  /** Of the admin listener. */
  readonly url: string
}

/** A gate with sessions and five denials, and a browser to look at its page. */
export async function startBusyGate(
  scope: Scope,
  {
    sessions = 40,
    environment = {},
  }: { sessions?: number; environment?: Readonly<Record<string, string>> } = {},
): Promise<BusyGate> {
  const [backend, browser] = await Promise.all([startBackend(scope), startBrowser(scope)])
  backend.answer = namesOrNobody
  const gate = await startGate(scope, {
    BACKEND_URL: `${backend.url}/auth`,
    ADMIN_LISTEN: '127.0.0.1:0',
    CHANNEL_PATTERN: '^/live/([^/]+)/',
    LOG_LEVEL: 'warn',
    ...environment,
  })
  const ask = openGateLines(scope, gate.port, 32)
  for (let number = 0; number < sessions; number += 20)
    await Promise.all(Array.from({ length: 20 }, (_, at) => openSession(ask, number + at)))
  for (let number = 0; number < 5; number++)
    await ask({ ...viewer(number), uri: `/live/news/index.m3u8?token=guess-${number}` })
  return { backend, browser, ask, url: adminUrl(gate) }
}
