import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { accepts } from './accepts.ts'
import type { Backend } from './backend.ts'
import { startChild } from './child.ts'
import { request } from './client.ts'
import { configureNginx } from './configured-nginx.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

/** A site as operators have it, with our three includes. */
export interface SiteShape {
  readonly what: string
  /**
   * What lies at http level. `HTTP;`, `GATE;`, `LOCATION;` and `COOKIE;` are our includes, `PORT` and `OTHER` two ports,
   * `ORIGIN` a packager that answers with the path that it got, `/srv/` and `/run/` folders of the test.
   */
  readonly site: string
  /** Files below `/srv/`: path → content. */
  readonly files?: Readonly<Record<string, string>>
  /** A playlist: it plays with a good token, and is refused with a bad one. */
  readonly playlist: string
  /** What a viewer without a token gets once they play, and nobody else. */
  readonly segments: readonly string[]
  /** What everybody gets. */
  readonly open?: readonly string[]
  /** What check finds, each with what it says. Empty = it is silent. */
  readonly found?: readonly (readonly [flaw: string, says: RegExp])[]
  /** Settings of the check. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A site that runs. */
export interface ShapedSite {
  readonly port: number
  readonly other: number
  /** For PATH: nginx with the configuration of the site. */
  readonly path: string
}

/** Starts the real nginx with a site of this shape. */
export async function startShapedSite(
  scope: Scope,
  shape: SiteShape,
  gate: string,
  origin: Backend,
): Promise<ShapedSite> {
  const folder = makeTemporaryFolder(scope)
  for (const [file, content] of Object.entries(shape.files ?? {})) {
    mkdirSync(dirname(join(folder, 'srv', file)), { recursive: true })
    writeFileSync(join(folder, 'srv', file), content)
  }
  const [port, other] = [await findFreePort(), await findFreePort()]
  const site = shape.site
    .replaceAll('HTTP;', 'include /etc/nginx/alta-auth/http.conf;')
    .replaceAll(
      'GATE;',
      `access_log /var/log/nginx/site.log alta_auth;
      include /etc/nginx/alta-auth/server.conf; include /etc/nginx/alta-auth/on-failure-deny.conf;`,
    )
    .replaceAll('LOCATION;', 'include /etc/nginx/alta-auth/location.conf;')
    .replaceAll('COOKIE;', 'include /etc/nginx/alta-auth/cookie.conf;')
    .replaceAll('PORT', `127.0.0.1:${port}`)
    .replaceAll('OTHER', `127.0.0.1:${other}`)
    .replaceAll('ORIGIN', `127.0.0.1:${origin.port}`)
    .replaceAll(/\/(srv|run)(?=[/;])/g, `${folder}/$1`)
  mkdirSync(join(folder, 'run'))
  const path = await configureNginx(scope, { gate, site })
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const child = startChild(scope, join(path, 'nginx'), ['-g', `daemon off; ${user}`])
  await until('nginx to listen', async () => {
    if (child.process.exitCode !== null) throw new Error(child.output())
    return await accepts(port)
  })
  return { port, other, path }
}

/** Asks as this viewer. Paths that begin with `other:` are asked at the other port. */
export async function ask({ port, other }: ShapedSite, viewer: string, target: string): Promise<number> {
  const isOther = target.startsWith('other:')
  const { status } = await request({
    port: isOther ? other : port,
    target: isOther ? target.slice('other:'.length) : target,
    headers: [`User-Agent: ${viewer}`],
  })
  return status
}
