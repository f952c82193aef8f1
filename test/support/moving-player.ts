import type { Browser } from 'playwright-core'
import { type Child, startChild } from './child.ts'
import { PATIENCE } from './cookie-stage.ts'
import { openOtherOriginPage, type ownPlayer } from './other-origin-page.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** A real player that plays a live stream until the scope ends. */
export interface MovingPlayer {
  /** It has given up. */
  readonly hasEnded: boolean
  /** Resolves when it has shown some more, or has ended; players without a picture show all at once. */
  showsMore(): Promise<void>
}

/** A player in a browser profile of its own, on this page. Requests to another origin carry credentials. */
export async function openInBrowser(
  scope: Scope,
  browser: Browser,
  userAgent: string,
  player: 'hls.js' | typeof ownPlayer,
  page: string,
  stream: string,
): Promise<MovingPlayer> {
  const context = await browser.newContext({ userAgent })
  scope.after(() => context.close())
  const tab = await openOtherOriginPage(context, page, player, stream, 'credentials')
  let hasEnded = false
  const end = (): void => {
    hasEnded = true
  }
  // It waits as long as the page is open.
  tab.until('watched().gaveUp', 0).then(end, end)
  return {
    get hasEnded() {
      return hasEnded
    },
    async showsMore() {
      const { played } = await tab.watched()
      await tab.until(`watched().gaveUp || watched().played >= ${played + 1}`, PATIENCE)
      hasEnded ||= (await tab.watched()).gaveUp
    },
  }
}

/** ffmpeg, which drops what it receives. */
export function startMovingFfmpeg(scope: Scope, userAgent: string, stream: string): MovingPlayer {
  const input = ['-nostdin', '-loglevel', 'error', '-user_agent', userAgent, '-i', stream]
  return watch(startChild(scope, 'ffmpeg', [...input, '-map', '0', '-c', 'copy', '-f', 'null', '-']))
}

/** VLC without a window and without sound. It refuses to run as root. */
export function startMovingVlc(scope: Scope, userAgent: string, stream: string): MovingPlayer {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
  const words = process.getuid?.() === 0 ? ['setpriv', ...nobody, 'vlc'] : ['vlc']
  const quiet = ['-I', 'dummy', '--no-video', '--aout=dummy']
  const [command = '', ...parameters] = [...words, ...quiet, stream, `:http-user-agent=${userAgent}`]
  const env = { ...process.env, HOME: makeTemporaryFolder(scope) }
  return watch(startChild(scope, command, parameters, { env }))
}

function watch({ process }: Child): MovingPlayer {
  return {
    get hasEnded() {
      return process.exitCode !== null || process.signalCode !== null
    },
    showsMore: () => Promise.resolve(),
  }
}
