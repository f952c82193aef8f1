import { startSite } from '../start-site.ts'
import type { Contender } from './contender.ts'

/** nginx without authorization. */
export const noAuth: Contender = {
  letter: 'a',
  name: 'no auth',
  what: 'nginx serves the files to everybody: the floor.',
  judges: false,
  works: ['hits'],
  async start(scope, grounds) {
    const site = await startSite(scope, grounds, { name: 'no-auth' })
    return { port: site.port, nginx: site.pid, errorLog: site.errorLog }
  },
}
