import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

export interface LiveStreamOptions {
  /** Seconds until the broadcast ends. The playlists are closed then. */
  readonly seconds: number
  /** Segments in a playlist, of one second each; the files of older ones are deleted. */
  readonly window: number
  /** Old segments that stay on disk for players that are behind. */
  readonly spare?: number
  /** One picture in one playlist (the default), or two below a master. */
  readonly variants?: 1 | 2
}

export interface LiveStream {
  readonly child: Child
  /** File name of the playlist that players start with. */
  readonly entry: 'index.m3u8' | 'master.m3u8'
}

/** A playlist of a sliding window, read: the number of its first segment, and the segments. */
export interface Window {
  readonly first: number
  readonly segments: readonly string[]
  readonly closed: boolean
}

const picture = '-re -f lavfi -i testsrc2=size=320x180:rate=25'
const sound = '-re -f lavfi -i sine=frequency=440:sample_rate=44100'
const codecs =
  '-c:v libx264 -preset ultrafast -profile:v main -pix_fmt yuv420p -g 25 -sc_threshold 0 -c:a aac -b:a 64k -ac 2'

/**
 * A broadcast: ffmpeg writes a test pattern with sound into `folder` in real time, as HLS with a sliding
 * window.
 *
 * - one variant: `index.m3u8`, `0.ts` …
 * - two variants: `master.m3u8`, `high/index.m3u8`, `high/0.ts` …, `low/index.m3u8`, `low/0.ts` …
 *
 * Resolves when the first segment can be played. It ends with the scope at the latest.
 */
export async function startLiveStream(
  scope: Scope,
  folder: string,
  options: LiveStreamOptions,
): Promise<LiveStream> {
  const { seconds, window, spare = 1, variants = 1 } = options
  mkdirSync(folder, { recursive: true })
  const hls = [
    `-t ${seconds} -f hls -hls_time 1 -hls_list_size ${window} -hls_delete_threshold ${spare}`,
    '-hls_flags delete_segments+temp_file+independent_segments',
  ]
  const output =
    variants === 1
      ? [...hls, '-hls_segment_filename %d.ts index.m3u8']
      : [
          '-map 0:v -map 1:a -map 0:v -map 1:a -b:v:0 300k -b:v:1 120k',
          ...hls,
          '-master_pl_name master.m3u8 -hls_segment_filename %v/%d.ts',
        ]
  const words = ['-nostdin -hide_banner -loglevel error', picture, sound, codecs, ...output].flatMap((line) =>
    line.split(' '),
  )
  // The only parameter that holds a space.
  if (variants === 2) words.push('-var_stream_map', 'v:0,a:0,name:high v:1,a:1,name:low', '%v/index.m3u8')

  const child = startChild(scope, 'ffmpeg', words, { cwd: folder })
  const entry = variants === 1 ? 'index.m3u8' : 'master.m3u8'
  const needed = variants === 1 ? [entry] : [entry, 'high/index.m3u8', 'low/index.m3u8']
  await until('the broadcast to begin', () => {
    if (child.process.exitCode !== null) throw new Error(`the broadcast did not begin:\n${child.output()}`)
    return needed.every((file) => existsSync(join(folder, file)))
  })
  return { child, entry }
}

/** What a playlist of the broadcast holds now. */
export function readWindow(playlist: string): Window {
  const text = readFileSync(playlist, 'utf8')
  return {
    first: Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1]),
    segments: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    closed: text.includes('#EXT-X-ENDLIST'),
  }
}
