import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import type { Nginx } from './nginx.ts'

/** What the player has seen so far. */
export interface Seen {
  /** Seconds that were really shown. Skipped seconds do not count. */
  readonly played: number
  readonly currentTime: number
  /** Playlists of the variants, lowest rate first. */
  readonly levels: readonly string[]
  /** The variants that were switched to, in order. */
  readonly switched: readonly number[]
  readonly errors: readonly PlayerError[]
}

export interface PlayerError {
  readonly details: string
  readonly fatal: boolean
  /** The HTTP status; null where there was none. */
  readonly status: number | null
}

/** A tab with hls.js in it, playing. */
export interface PlayerTab {
  readonly userAgent: string
  /** Paths below `/` that this tab has asked for, without the player's own files. */
  readonly asked: readonly string[]
  /** Names of all parameters that it has sent with them. */
  readonly parameters: ReadonlySet<string>
  seen(): Promise<Seen>
  /** Waits, at most for `patience` milliseconds, until an expression of `seen()` is true in the page. */
  until(condition: string, patience: number): Promise<void>
  /** The variant to play from the next segment on. */
  switchTo(level: number): Promise<void>
}

const playerPage = `<!doctype html>
<title>player</title>
<link rel="icon" href="data:,">
<video muted autoplay playsinline></video>
<script src="hls.min.js"></script>
<script>
  const video = document.querySelector('video')
  const hls = new Hls({ startLevel: 0, ...(location.search === '?cmcd' ? { cmcd: {} } : {}) })
  const switched = []
  const errors = []
  // Only the test switches variants: a chosen variant stays.
  hls.on(Hls.Events.MANIFEST_PARSED, () => { hls.currentLevel = 0 })
  hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => switched.push(level))
  hls.on(Hls.Events.ERROR, (_event, { details, fatal, response }) =>
    errors.push({ details, fatal, status: response?.code ?? null }))
  hls.loadSource(decodeURIComponent(location.hash.slice(1)))
  hls.attachMedia(video)

  function seen() {
    let played = 0
    for (let at = 0; at < video.played.length; at++) played += video.played.end(at) - video.played.start(at)
    const levels = hls.levels.map(({ uri }) => uri)
    return { played, currentTime: video.currentTime, levels, switched, errors }
  }
</script>
`

/** Puts a page with hls.js into `/open/`, which is not protected. */
export function writePlayerPage(nginx: Nginx): void {
  const folder = join(nginx.root, 'open')
  mkdirSync(folder, { recursive: true })
  const distributed = join(createRequire(import.meta.url).resolve('hls.js'), '..')
  cpSync(join(distributed, 'hls.min.js'), join(folder, 'hls.min.js'))
  writeFileSync(join(folder, 'player.html'), playerPage)
}

/**
 * Opens the page in a new tab. `stream` is the path and query of the playlist to play. With `cmcd` the player
 * adds its state to each URL.
 */
export async function openPlayer(
  context: BrowserContext,
  nginx: Nginx,
  stream: string,
  cmcd?: 'cmcd',
): Promise<PlayerTab> {
  const page = await context.newPage()
  const asked: string[] = []
  const parameters = new Set<string>()
  page.on('request', (request) => {
    const { protocol, pathname, searchParams } = new URL(request.url())
    if (protocol !== 'http:' || pathname.startsWith('/open/')) return
    asked.push(pathname)
    for (const name of searchParams.keys()) parameters.add(name)
  })
  const search = cmcd === undefined ? '' : `?${cmcd}`
  await page.goto(`${nginx.url}/open/player.html${search}#${encodeURIComponent(stream)}`)
  return {
    userAgent: await page.evaluate<string>('navigator.userAgent'),
    asked,
    parameters,
    seen: () => page.evaluate<Seen>('seen()'),
    until: async (condition, timeout) => {
      await page.waitForFunction(condition, undefined, { timeout, polling: 200 })
    },
    switchTo: (level) => page.evaluate<void>(`void (hls.nextLevel = ${level})`),
  }
}
