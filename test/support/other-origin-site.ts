import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../src/config/read-settings.ts'
import { findFreePort } from './free-port.ts'
import { makeMedia } from './media.ts'
import { writeOtherOriginPage } from './other-origin-page.ts'
import type { Scope } from './scope.ts'
import { type Site, startSite } from './site.ts'

export interface OtherOriginOptions {
  readonly environment?: Environment
  /** Locations and more, as for `startNginx`. */
  readonly server: string
  readonly http?: string
  /** Folders of the document root that get the streams of `makeMedia`. */
  readonly folders: readonly string[]
}

export interface OtherOriginSite extends Site {
  /** The page of `writeOtherOriginPage` at an origin that the map for cors.conf names. */
  readonly allowedPage: string
  /** The same page at an origin that it does not name. */
  readonly otherPage: string
}

/**
 * A site with streams, and a page of another origin. The origin differs in the port alone: cookies know no
 * ports, so the browser sends them.
 */
export async function startOtherOriginSite(
  scope: Scope,
  options: OtherOriginOptions,
): Promise<OtherOriginSite> {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const site = await startSite(scope, {
    ...(options.environment === undefined ? {} : { environment: options.environment }),
    nginx: {
      server: `location /open/ { } ${options.server}`,
      http: `
        map $http_origin $alta_auth_cors_origin { default ""; "${origin}" "${origin}"; }
        ${options.http ?? ''}
        server { listen 127.0.0.1:${port}; listen [::1]:${port}; root www; }`,
    },
  })
  const media = makeMedia()
  scope.after(() => rmSync(media, { recursive: true }))
  for (const folder of options.folders) cpSync(media, join(site.nginx.root, folder), { recursive: true })
  writeOtherOriginPage(join(site.nginx.root, 'page'))
  const page = 'page/page.html'
  return { ...site, allowedPage: `${origin}/${page}`, otherPage: `http://localhost:${port}/${page}` }
}
