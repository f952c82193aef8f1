import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { type Child, startChild } from './child.ts'
import { PATIENCE } from './cookie-stage.ts'
import { openOtherOriginPage, type ownPlayer } from './other-origin-page.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** A real player that plays a live stream until the scope ends. */
export interface MovingPlayer {
  /** Resolves when it has shown some more; players without a picture only tell that they have not ended. */
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
  return {
    async showsMore() {
      const { played, gaveUp } = await tab.watched()
      assert.equal(gaveUp, false)
      await tab.until(`watched().played >= ${played + 1}`, PATIENCE)
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

function watch(child: Child): MovingPlayer {
  return {
    async showsMore() {
      const { exitCode, signalCode } = child.process
      assert.deepEqual([exitCode, signalCode], [null, null], child.output())
    },
  }
}
