import { startBackend } from './backend.ts'
import type { Scope } from './scope.ts'
import { type Site, startSite } from './site.ts'

/**
 * A site whose `/origin/` goes to a server that takes every method and answers `METHOD size-of-body`. All
 * other paths are files. The backend allows what ends in `token=good` and denies all else. The default action
 * allows, so every refusal is the backend's.
 */
export async function startSiteWithOrigin(scope: Scope): Promise<Site> {
  const origin = await startBackend(scope)
  origin.answer = ({ method }, response, incoming) => {
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    incoming.on('end', () => {
      const text = `${method} ${size}`
      response.writeHead(200, { 'Content-Length': text.length }).end(text)
    })
  }
  const site = await startSite(scope, {
    environment: { DEFAULT_ACTION: 'allow' },
    nginx: {
      onFailure: 'allow',
      server: `location / { LOCATION } location /origin/ { LOCATION proxy_pass ${origin.url}; }`,
    },
  })
  site.backend.answer = ({ target }, response) => {
    response.writeHead(target.endsWith('token=good') ? 200 : 403).end()
  }
  return site
}
