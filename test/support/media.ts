import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Seconds of every stream, and of every segment. */
export const DURATION = 8
export const SEGMENT = 1

/**
 * Test-pattern streams with sound, as ffmpeg makes them: all of these, or those that are named. The caller
 * removes the folder.
 *
 * - `single/index.m3u8`: HLS, one media playlist
 * - `tree/master.m3u8`: HLS master with its two variants in subdirectories
 * - `flat/master.m3u8`: HLS master with everything in one directory
 * - `dash/stream.mpd`: DASH
 */
export function makeMedia(
  only: readonly ('single' | 'tree' | 'flat' | 'dash')[] = ['single', 'tree', 'flat', 'dash'],
): string {
  const folder = mkdtempSync(join(tmpdir(), 'alta-auth-media-'))
  const two = ['-map', '0:v', '-map', '1:a', '-map', '0:v', '-map', '1:a']
  const rates = ['-b:v:0', '300k', '-b:v:1', '120k']
  const variants = ['-var_stream_map', 'v:0,a:0 v:1,a:1', '-master_pl_name', 'master.m3u8']
  const outputs = {
    single: [...hls('single/%d.ts'), 'single/index.m3u8'],
    tree: [...two, ...rates, ...hls('tree/v%v/%d.ts'), ...variants, 'tree/v%v/index.m3u8'],
    flat: [...two, ...rates, ...hls('flat/v%v-%d.ts'), ...variants, 'flat/v%v.m3u8'],
    dash: [...two, ...rates, '-f', 'dash', '-seg_duration', String(SEGMENT), 'dash/stream.mpd'],
  }
  for (const name of only) {
    for (const place of name === 'tree' ? ['tree/v0', 'tree/v1'] : [name])
      mkdirSync(join(folder, place), { recursive: true })
    encode(folder, outputs[name])
  }
  return folder
}

function hls(segments: string): string[] {
  return ['-f', 'hls', '-hls_time', String(SEGMENT), '-hls_list_size', '0', '-hls_segment_filename', segments]
}

function encode(folder: string, output: readonly string[]): void {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${DURATION}`]
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${DURATION}`]
  const codecs =
    '-c:v libx264 -preset ultrafast -profile:v main -pix_fmt yuv420p -g 25 -c:a aac -b:a 64k -ac 2'.split(' ')
  const all = ['-nostdin', '-hide_banner', '-loglevel', 'error', ...picture, ...sound, ...codecs, ...output]
  execFileSync('ffmpeg', all, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}
