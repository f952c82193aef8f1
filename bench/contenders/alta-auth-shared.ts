import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startGate } from '../start-gate.ts'
import { startValkey } from '../start-valkey.ts'
import type { Contender } from './contender.ts'
import { patientSettings } from './patient-settings.ts'
import { startShippedSite } from './shipped-site.ts'

/** One gate with a Valkey of its machine, and two that share it. */
export const altaAuthShared = createShared('j', 1)
export const altaAuthTwo = createShared('k', 2)

/** Gates of one machine as docs/install.md runs them: Unix sockets, and a Valkey that only they reach. */
function createShared(letter: string, count: number): Contender {
  const words = count === 1 ? 'one gate' : 'two gates'
  return {
    letter,
    name: `alta-auth, ${words}, Valkey`,
    what:
      count === 1
        ? 'h with a Valkey of the machine, over a Unix socket.'
        : 'the same with two gates that share the Valkey; nginx keeps each viewer with one of them.',
    judges: true,
    works: ['hits', 'mixed', 'denies', 'misses'],
    async start(scope, grounds) {
      const slug = `alta-auth-shared-${count}`
      const folder = join(grounds.folder, slug)
      mkdirSync(folder)
      const valkey = await startValkey(scope, folder)
      const sockets = Array.from({ length: count }, (_, gate) => join(folder, `${gate + 1}.sock`))
      const gates: number[] = []
      for (const [at, listens] of sockets.entries()) {
        const name = `gate-${at + 1}`
        const env = {
          ...patientSettings,
          GATE_NAME: name,
          STATE_URL: `unix:${valkey.socket}`,
          STATE_SECRET: 'a-secret-for-the-bench-and-for-nothing-else',
          ...grounds.settings,
        }
        gates.push(await startGate(scope, { name, folder, backend: grounds.backend.port, listens, env }))
      }
      const site = await startShippedSite(scope, grounds, { name: slug, gates: sockets })
      return { port: site.port, nginx: site.pid, gates, valkey: valkey.pid, errorLog: site.errorLog }
    },
  }
}
