import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gateLine } from '../../test/support/nginx.ts'
import type { Scope } from '../../test/support/scope.ts'
import type { Grounds } from '../grounds.ts'
import { makeMemoryFolder } from '../memory-folder.ts'
import { type Site, startSite } from '../start-site.ts'

/** The folder of this repository. */
export const thisCheckout = fileURLToPath(new URL('../..', import.meta.url))

/** A site with the nginx files as they ship. */
export interface ShippedSiteOptions {
  readonly name: string
  /** Where the gates listen: ports of 127.0.0.1, or paths of Unix sockets. */
  readonly gates: readonly (number | string)[]
  /** Include nginx's verdict cache. */
  readonly cached?: boolean
  /** Include cookie.conf. */
  readonly cookies?: boolean
  /** The checkout whose files are used; this one unless given. */
  readonly checkout?: string
}

/** Starts a site behind the shipped snippets. Changed are the gates' addresses and the cache's folder. */
export async function startShippedSite(
  scope: Scope,
  grounds: Grounds,
  { name, gates, cached = false, cookies = false, checkout = thisCheckout }: ShippedSiteOptions,
): Promise<Site> {
  const snippets = join(grounds.folder, name, 'alta-auth')
  cpSync(join(checkout, 'nginx', 'alta-auth'), snippets, { recursive: true })
  const lines = gates.map((gate) => {
    const address = typeof gate === 'string' ? `unix:${gate}` : `127.0.0.1:${gate}`
    return `server ${address} max_fails=0;`
  })
  replaceOnce(join(snippets, 'http.conf'), gateLine, lines.join('\n'))
  if (cached) moveCache(join(snippets, 'cache-http.conf'), makeMemoryFolder(scope))
  const include = (file: string): string => `include ${snippets}/${file}.conf;`
  return await startSite(scope, grounds, {
    name,
    http: ['http', ...(cached ? ['cache-http'] : [])].map(include).join('\n'),
    server: ['server', 'on-failure-deny'].map(include).join('\n'),
    location: ['location', ...(cookies ? ['cookie'] : [])].map(include).join('\n'),
  })
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
