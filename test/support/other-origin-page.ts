import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'

/** Players in a browser, and the kind of stream that each of them plays here. */
export const players = { 'hls.js': 'hls', Shaka: 'dash', 'dash.js': 'dash' } as const
export type Player = keyof typeof players
/** What Chromium plays by itself. */
export const ownPlayer = 'Chromium'

/** What the page sends beside the bare requests. */
export type Sends = 'nothing' | 'credentials' | 'header'

export interface Watched {
  /** Seconds that were really shown. */
  readonly played: number
  /** The HTTP status of each request that failed for the player; 0 = a network error, without a status. */
  readonly statuses: readonly number[]
  /** Whether the player gave up. */
  readonly gaveUp: boolean
}

export interface OtherOriginTab {
  watched(): Promise<Watched>
  /** Waits, at most for `patience` milliseconds, until an expression of `watched()` is true in the page. */
  until(condition: string, patience: number): Promise<void>
}

const page = `<!doctype html>
<title>player</title>
<link rel="icon" href="data:,">
<video muted autoplay playsinline></video>
<script src="hls.js"></script>
<script src="shaka.js"></script>
<script src="dash.js"></script>
<script>
  const { player, sends, stream } = Object.fromEntries(new URLSearchParams(location.search))
  const video = document.querySelector('video')
  const statuses = []
  let gaveUp = false
  const own = sends === 'header' ? { 'X-Device': 'tv' } : {}

  const start = {
    'hls.js'() {
      const xhrSetup = (xhr) => {
        xhr.withCredentials = sends === 'credentials'
        for (const [name, value] of Object.entries(own)) xhr.setRequestHeader(name, value)
      }
      // As docs/nginx.md says.
      const manifestLoadPolicy = structuredClone(Hls.DefaultConfig.manifestLoadPolicy)
      manifestLoadPolicy.default.errorRetry = { maxNumRetry: 10, retryDelayMs: 1000, maxRetryDelayMs: 4000 }
      const hls = new Hls({ xhrSetup, manifestLoadPolicy })
      hls.on(Hls.Events.ERROR, (_event, { fatal, response }) => {
        if (response !== undefined) statuses.push(response.code)
        gaveUp ||= fatal
      })
      hls.loadSource(stream)
      hls.attachMedia(video)
    },
    async Shaka() {
      const shaken = new shaka.Player()
      await shaken.attach(video)
      const network = shaken.getNetworkingEngine()
      network.registerRequestFilter((_type, request) => {
        request.allowCrossSiteCredentials = sends === 'credentials'
        Object.assign(request.headers, own)
      })
      const note = ({ code, data }) => {
        if (code === shaka.util.Error.Code.BAD_HTTP_STATUS) statuses.push(data[1])
        if (code === shaka.util.Error.Code.HTTP_ERROR) statuses.push(0)
      }
      network.addEventListener('retry', ({ error }) => error && note(error))
      await shaken.load(stream).catch((error) => { note(error); gaveUp = true })
    },
    'dash.js'() {
      const dash = dashjs.MediaPlayer().create()
      dash.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE } })
      dash.on(dashjs.MediaPlayer.events.ERROR, ({ error }) => {
        statuses.push(error.data?.response?.status ?? 0)
        gaveUp = true
      })
      if (sends === 'credentials') dash.setXHRWithCredentialsForType(null, true)
      dash.addRequestInterceptor((request) => {
        request.headers = { ...request.headers, ...own }
        return Promise.resolve(request)
      })
      dash.initialize(video, stream, true)
    },
    Chromium() {
      video.onerror = () => { gaveUp = true }
      video.src = stream
    },
  }
  start[player]()

  function watched() {
    let played = 0
    for (let at = 0; at < video.played.length; at++) played += video.played.end(at) - video.played.start(at)
    return { played, statuses, gaveUp }
  }
</script>
`

/** Puts a page with the players into a folder. */
export function writeOtherOriginPage(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const { resolve } = createRequire(import.meta.url)
  const modules = { 'hls.js': 'hls.js', 'shaka.js': 'shaka-player', 'dash.js': 'dashjs' }
  for (const [name, module] of Object.entries(modules)) cpSync(resolve(module), join(folder, name))
  writeFileSync(join(folder, 'page.html'), page)
}

/** Opens the page that lies at `page` in a new tab, and lets a player play a stream of another origin. */
export async function openOtherOriginPage(
  context: BrowserContext,
  page: string,
  player: Player | typeof ownPlayer,
  stream: string,
  sends: Sends = 'nothing',
): Promise<OtherOriginTab> {
  const tab = await context.newPage()
  await tab.goto(`${page}?${new URLSearchParams({ player, sends, stream })}`)
  return {
    watched: () => tab.evaluate<Watched>('watched()'),
    until: async (condition, timeout) => {
      await tab.waitForFunction(condition, undefined, { timeout, polling: 200 })
    },
  }
}
