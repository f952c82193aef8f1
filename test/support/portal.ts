import { type Backend, startBackend } from './backend.ts'
import { createTemporaryLinks, LINK_LIFE, ministraScript, type TemporaryLinks } from './ministra-portal.ts'
import type { Scope } from './scope.ts'

/** Ministra's portal as a backend, with links that die when the test says so. */
export interface Portal {
  readonly backend: Backend
  readonly links: TemporaryLinks
  /** All links that it has given out are dead from now on. */
  killLinks(): void
}

export async function startPortal(scope: Scope): Promise<Portal> {
  const backend = await startBackend(scope)
  let now = 0
  const links = createTemporaryLinks(() => now)
  backend.answer = ministraScript(links)
  return {
    backend,
    links,
    killLinks() {
      now += LINK_LIFE
    },
  }
}
