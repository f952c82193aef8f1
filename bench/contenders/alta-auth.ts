import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../../test/support/free-port.ts'
import { gateLine } from '../../test/support/nginx.ts'
import { makeMemoryFolder } from '../memory-folder.ts'
import { startGate } from '../start-gate.ts'
import { startSite } from '../start-site.ts'
import { ALLOW_SECONDS, type Contender, DENY_SECONDS, MAX_VERDICTS } from './contender.ts'

const shipped = fileURLToPath(new URL('../../nginx/alta-auth', import.meta.url))

/** One way to run alta-auth. */
export interface AltaAuthOptions extends Pick<Contender, 'letter' | 'name' | 'what'> {
  /** A word for the names of its files. */
  readonly slug: string
  readonly over: 'tcp' | 'unix'
  /** Include nginx's verdict cache. */
  readonly cached: boolean
}

/** The gate as it ships, behind the nginx files as they ship. One line is changed: the gate's address. */
export function createAltaAuth({ letter, name, what, slug, over, cached }: AltaAuthOptions): Contender {
  return {
    letter,
    name,
    what,
    judges: true,
    works: ['hits', 'mixed', 'denies', 'misses'],
    async start(scope, grounds) {
      const listens = over === 'unix' ? join(grounds.folder, `${slug}.sock`) : await findFreePort()
      const address = typeof listens === 'string' ? `unix:${listens}` : `127.0.0.1:${listens}`
      const gate = await startGate(scope, {
        name: `${slug}-gate`,
        folder: grounds.folder,
        backend: grounds.backend.port,
        listens,
        env: {
          ALLOW_TTL: `${ALLOW_SECONDS}s`,
          DENY_TTL: `${DENY_SECONDS}s`,
          SESSION_IDLE: `${ALLOW_SECONDS}s`,
          MAX_SESSIONS: String(MAX_VERDICTS),
        },
      })
      const snippets = join(grounds.folder, slug, 'alta-auth')
      cpSync(shipped, snippets, { recursive: true })
      replaceOnce(join(snippets, 'http.conf'), gateLine, `server ${address} max_fails=0;`)
      if (cached) moveCache(join(snippets, 'cache-http.conf'), makeMemoryFolder(scope))
      const site = await startSite(scope, grounds, {
        name: slug,
        http: ['http', ...(cached ? ['cache-http'] : [])].map(include).join('\n'),
        server: ['server', 'on-failure-deny'].map(include).join('\n'),
        location: include('location'),
      })
      return { port: site.port, nginx: site.pid, gate, errorLog: site.errorLog }

      function include(file: string): string {
        return `include ${snippets}/${file}.conf;`
      }
    },
  }
}

/** Moves the cache into a folder in memory that no other nginx of this machine uses. */
function moveCache(file: string, folder: string): void {
  const [line = '', path = ''] = /^proxy_cache_path (\S+) /m.exec(readFileSync(file, 'utf8')) ?? []
  replaceOnce(file, line, line.replace(path, folder))
}

function replaceOnce(file: string, what: string, by: string): void {
  const text = readFileSync(file, 'utf8')
  if (text.split(what).length !== 2) throw new Error(`${file}: not exactly one "${what}"`)
  writeFileSync(file, text.replace(what, by))
}
