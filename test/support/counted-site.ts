import type { Scope } from './scope.ts'
import { type Site, type SiteOptions, startSite } from './site.ts'

/** A site with nginx's verdict cache, which counts the subrequests that reach the gate all the same. */
export interface CountedSite extends Site {
  /** Subrequests that the gate gets while `act` runs. */
  subrequestsDuring(act: () => Promise<unknown>): Promise<number>
}

export async function startCountedSite(scope: Scope, options: SiteOptions = {}): Promise<CountedSite> {
  const site = await startSite(scope, { ...options, nginx: { verdictCache: true, ...options.nginx } })
  let count = 0
  site.gate.service.gateServer.on('request', () => count++)
  return {
    ...site,
    async subrequestsDuring(act) {
      const before = count
      await act()
      return count - before
    },
  }
}
