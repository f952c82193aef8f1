import { type Backend, startBackend } from './backend.ts'
import { createTemporaryLinks, LINK_LIFE, ministraScript, type TemporaryLinks } from './ministra-portal.ts'
import type { Scope } from './scope.ts'

/** Ministra's portal as a backend, with links that die when the test says so. */
export interface Portal {
  readonly backend: Backend
  readonly links: TemporaryLinks
  /** All links that it has given out are dead from now on; with a link as its query, this one alone. */
  killLinks(query?: string): void
}

export async function startPortal(scope: Scope, maxSessions?: number): Promise<Portal> {
  const backend = await startBackend(scope)
  let now = 0
  const links = createTemporaryLinks(() => now)
  const script = ministraScript(links, maxSessions)
  const dead = new Set<string>()
  backend.answer = (asked, response, request) => {
    if (dead.has(asked.target.split('?')[1] ?? '')) response.writeHead(403).end()
    else script(asked, response, request)
  }
  return {
    backend,
    links,
    killLinks(query) {
      if (query === undefined) now += LINK_LIFE
      else dead.add(query)
    },
  }
}
