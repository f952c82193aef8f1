// npx tsx demo/make-stream.ts: makes demo/stream again with ffmpeg. The result is committed, so nobody else
// has to.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BEEP, drawPicture, HEIGHT, LOOP, RATE, WIDTH } from './test-pattern.ts'

/** Seconds of a segment. */
const SEGMENT = 2
/** Samples a second. */
const SAMPLES = 48_000

const target = fileURLToPath(new URL('stream', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'alta-auth-stream-'))
const sound = join(folder, 'sound.s16le')
writeFileSync(sound, makeSound())

rmSync(target, { recursive: true, force: true })
mkdirSync(target)
const pictures = `-f rawvideo -pixel_format rgb24 -video_size ${WIDTH}x${HEIGHT} -framerate ${RATE} -i pipe:0`
const beeps = `-f s16le -ar ${SAMPLES} -ac 1 -i ${sound}`
// Baseline without B-frames, and one key frame a segment: every player can play and cut it.
const video = '-c:v libx264 -profile:v baseline -preset veryslow -crf 21 -pix_fmt yuv420p -sc_threshold 0'
const cuts = `-g ${SEGMENT * RATE} -keyint_min ${SEGMENT * RATE}`
const hls = `-f hls -hls_time ${SEGMENT} -hls_playlist_type vod -hls_flags independent_segments`
const words = [
  '-nostdin -hide_banner -loglevel error',
  pictures,
  beeps,
  `${video} ${cuts} -c:a aac -b:a 48k -ac 1 -shortest`,
  hls,
  // Not .ts, because the type checker would read them.
  '-hls_segment_filename %d.mpegts index.m3u8',
].flatMap((line) => line.split(' '))
const ffmpeg = spawn('ffmpeg', words, { cwd: target, stdio: ['pipe', 'inherit', 'inherit'] })
const ended = once(ffmpeg, 'exit')
for (let at = 0; at < LOOP * RATE; at++) {
  if (!ffmpeg.stdin.write(drawPicture(at / RATE))) await once(ffmpeg.stdin, 'drain')
}
ffmpeg.stdin.end()
const [code] = await ended
rmSync(folder, { recursive: true, force: true })
process.stdout.write(code === 0 ? `made ${target}\n` : 'ffmpeg failed: see above\n')
process.exitCode = code === 0 ? 0 : 1

/** A soft beep at every full second, and a higher one at the start of the loop. */
function makeSound(): Buffer {
  const bytes = Buffer.alloc(LOOP * SAMPLES * 2)
  for (let second = 0; second < LOOP; second++) {
    const pitch = second === 0 ? 880 : 440
    for (let at = 0; at < BEEP * SAMPLES; at++) {
      const loudness = 0.25 * Math.sin((at / (BEEP * SAMPLES)) * Math.PI)
      const wave = Math.sin((at / SAMPLES) * pitch * 2 * Math.PI)
      bytes.writeInt16LE(Math.round(wave * loudness * 32_767), (second * SAMPLES + at) * 2)
    }
  }
  return bytes
}
