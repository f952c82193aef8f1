import { findFreePort } from '../test/support/free-port.ts'
import type { Scope } from '../test/support/scope.ts'
import type { Grounds } from './grounds.ts'
import { type Nginx, startNginx } from './start-nginx.ts'

/** What a contender adds to the site that is the same for all. */
export interface SiteOptions {
  readonly name: string
  readonly modules?: readonly string[]
  readonly http?: string
  readonly server?: string
  /** Lines in the protected location. */
  readonly location?: string
}

/** A site that runs. */
export interface Site extends Nginx {
  readonly port: number
}

/** Starts nginx with the files of the channels, protected by the lines of the contender. */
export async function startSite(scope: Scope, grounds: Grounds, options: SiteOptions): Promise<Site> {
  const port = await findFreePort()
  const nginx = await startNginx(scope, {
    name: options.name,
    folder: grounds.folder,
    modules: options.modules ?? [],
    listens: port,
    ...(grounds.connections === undefined ? {} : { connections: grounds.connections }),
    http: `
  ${options.http ?? ''}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${grounds.root};
    ${options.server ?? ''}
    location /live/ {
      ${options.location ?? ''}
      ${grounds.location ?? ''}
    }
  }`,
  })
  return { ...nginx, port }
}
