import type { Scope } from './scope.ts'
import { type Site, type SiteOptions, startSite } from './site.ts'

/** A site with nginx's verdict cache. It counts the subrequests that still reach the gate. */
export interface CountedSite extends Site {
  /** The number of subrequests that the gate gets while `act` runs. */
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
