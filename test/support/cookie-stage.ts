import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { MovingPlayer } from './moving-player.ts'
import { prepareRelays, type RelayPorts } from './moving-relay.ts'
import { createOneTimeTokens } from './one-time-tokens.ts'
import type { Scope } from './scope.ts'
import { type Site, startSite } from './site.ts'
import { until } from './until.ts'
import { type LoggedRequest, readLoggedNow, readViewerLog } from './viewer-log.ts'

/** A site for players whose address changes. Its backend allows each token once. */
export interface CookieStage extends Site, RelayPorts {
  /** A playlist of the stream at a place, its master unless given, with a new token. */
  entry(place: 'live' | 'dual' | 'plain', playlist?: string): string
  /**
   * Waits until a player has got two segments at this address.
   * @throws when something is refused to it meanwhile; GaveUp when it has ended although nothing was
   */
  untilPlaysAt(viewer: string, address: string, player: MovingPlayer): Promise<void>
  /** What the viewer has cost. It holds all that was answered before the call. */
  tally(viewer: string): Promise<Tally>
}

/** A player has given up by itself. */
export class GaveUp extends Error {}

export interface Tally {
  readonly log: readonly LoggedRequest[]
  readonly refused: readonly LoggedRequest[]
  readonly questions: number
}

/** How long a player may take on a busy machine, in milliseconds. */
export const PATIENCE = 60_000

/**
 * `/live/` has cookie.conf, `/dual/` too, with a connection for each request, and `/plain/` has none. Without
 * ranges and caches: Chromium's own HLS makes playlists of an old and a new half, and gives up.
 */
const locations = `
  max_ranges 0;
  location /live/ { LOCATION COOKIE CORS add_header Cache-Control no-store; }
  location /dual/ { LOCATION COOKIE keepalive_timeout 0; }
  location /plain/ { LOCATION }
  location /open/ { }`

/** @param stream a folder with `master.m3u8`; each place has it */
export async function startCookieStage(
  scope: Scope,
  mode: 'on' | 'strict',
  stream: string,
): Promise<CookieStage> {
  const { plain, tls, server } = await prepareRelays()
  const site = await startSite(scope, {
    environment: { SESSION_COOKIE: mode, ALLOW_TTL: 'session', ADMIN_LISTEN: '127.0.0.1:0' },
    nginx: {
      files: {},
      server: server + locations,
      http: 'map $http_origin $alta_auth_cors_origin { default ""; "~^https://page.test:" $http_origin; }',
    },
  })
  const { nginx, backend } = site
  for (const place of ['live', 'dual', 'plain']) symlinkSync(stream, join(nginx.root, place))
  const tokens = createOneTimeTokens()
  backend.answer = tokens.answer
  return {
    ...{ ...site, plain, tls },
    entry: (place, playlist = 'master.m3u8') => `/${place}/${playlist}?token=${tokens.issue('somebody')}`,
    async untilPlaysAt(viewer, address, player) {
      const log = (): LoggedRequest[] => readLoggedNow(nginx, viewer)
      const before = log().filter(isRefused).length
      const hasTwo = (): boolean => {
        assert.equal(log().filter(isRefused).length, before, `${viewer} is refused at ${address}`)
        if (player.hasEnded) throw new GaveUp(`${viewer} has given up`)
        return log().filter((line) => line.address === address && isSegment(line)).length >= 2
      }
      await until(`${viewer} to play at ${address}`, hasTwo, PATIENCE)
      await player.showsMore()
      if (player.hasEnded) throw new GaveUp(`${viewer} has given up`)
    },
    async tally(viewer) {
      const log = await readViewerLog(nginx, viewer)
      const questions = backend.asked.filter(({ headers }) => headers['X-Real-Ua'] === viewer).length
      return { log, refused: log.filter(isRefused), questions }
    },
  }
}

export function isRefused({ status }: LoggedRequest): boolean {
  return status === 401 || status === 403
}

function isSegment({ path, status }: LoggedRequest): boolean {
  return path.endsWith('.ts') && (status === 200 || status === 206)
}
