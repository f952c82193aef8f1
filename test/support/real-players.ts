import assert from 'node:assert/strict'
import { startBrowser } from './browser.ts'
import { startChild } from './child.ts'
import { openPlayer, writePlayerPage } from './hls-player.ts'
import type { Nginx } from './nginx.ts'
import type { Scope } from './scope.ts'

/** A real player that plays until the scope ends. */
export interface RealPlayer {
  readonly userAgent: string
  /** @throws when it has stopped playing */
  stillPlays(): Promise<void>
}

/** What ffmpeg's HTTP needs to go on with a stream that was cut. mpv's HTTP is the same. */
const again = { reconnect: 1, reconnect_at_eof: 1, reconnect_streamed: 1, reconnect_delay_max: 1 }

/** ffmpeg, which drops what it receives. */
export function startFfmpeg(scope: Scope, url: string, userAgent: string, isCut: boolean): RealPlayer {
  const options = isCut ? Object.entries(again).flatMap(([name, value]) => [`-${name}`, String(value)]) : []
  const input = ['-nostdin', '-loglevel', 'error', '-user_agent', userAgent, ...options, '-i', url]
  return watch(scope, 'ffmpeg', [...input, '-map', '0', '-c', 'copy', '-f', 'null', '-'], userAgent)
}

/** mpv without a window and without sound. */
export function startMpv(scope: Scope, url: string, userAgent: string, isCut: boolean): RealPlayer {
  const options = Object.entries(again).map(([name, value]) => `${name}=${value}`)
  const http = isCut ? [`--stream-lavf-o=${options.join(',')}`] : []
  const quiet = ['--no-config', '--vo=null', '--ao=null', '--really-quiet', '--ytdl=no', '--cache=no']
  return watch(scope, 'mpv', [...quiet, `--user-agent=${userAgent}`, ...http, url], userAgent)
}

/** hls.js in Chromium. */
export async function startHlsJs(
  scope: Scope,
  nginx: Nginx,
  stream: string,
  userAgent: string,
): Promise<RealPlayer> {
  writePlayerPage(nginx)
  const browser = await startBrowser(scope)
  const context = await browser.newContext({ userAgent })
  const tab = await openPlayer(context, nginx, stream)
  return {
    userAgent,
    async stillPlays() {
      const { played, errors } = await tab.seen()
      assert.deepEqual(
        errors.filter(({ fatal }) => fatal),
        [],
      )
      await tab.until(`seen().played > ${played + 2}`, 60_000)
    },
  }
}

function watch(scope: Scope, program: string, parameters: readonly string[], userAgent: string): RealPlayer {
  const child = startChild(scope, program, parameters)
  return {
    userAgent,
    async stillPlays() {
      const { exitCode, signalCode } = child.process
      assert.deepEqual([exitCode, signalCode], [null, null], `${userAgent} has ended:\n${child.output()}`)
    },
  }
}
