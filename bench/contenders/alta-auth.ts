import { join } from 'node:path'
import { findFreePort } from '../../test/support/free-port.ts'
import { startGate } from '../start-gate.ts'
import type { Contender } from './contender.ts'
import { patientSettings } from './patient-settings.ts'
import { startShippedSite, thisCheckout } from './shipped-site.ts'

/** One way to run alta-auth. */
export interface AltaAuthOptions extends Pick<Contender, 'letter' | 'name' | 'what'> {
  /** A word for the names of its files. */
  readonly slug: string
  readonly over: 'tcp' | 'unix'
  /** Include nginx's verdict cache. */
  readonly cached: boolean
  /** The folder of a built checkout; this one unless given. */
  readonly checkout?: string
}

/** The gate as it ships, behind the nginx files as they ship. */
export function createAltaAuth(options: AltaAuthOptions): Contender {
  const { letter, name, what, slug, over, cached, checkout = thisCheckout } = options
  return {
    letter,
    name,
    what,
    judges: true,
    works: ['hits', 'mixed', 'denies', 'misses'],
    async start(scope, grounds) {
      const listens = over === 'unix' ? join(grounds.folder, `${slug}.sock`) : await findFreePort()
      const gate = await startGate(scope, {
        name: `${slug}-gate`,
        folder: grounds.folder,
        backend: grounds.backend.port,
        listens,
        program: join(checkout, 'dist', 'main.js'),
        env: { ...patientSettings, ...grounds.settings },
      })
      const site = await startShippedSite(scope, grounds, { name: slug, gates: [listens], cached, checkout })
      return { port: site.port, nginx: site.pid, gates: [gate], errorLog: site.errorLog }
    },
  }
}
