import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goOnAir, readSegments } from './live-playlist.ts'

/** How often the clock is looked at, in milliseconds. */
const PERIOD = 250
/** How many segments stay on disk for players that are behind. */
const SPARE = 6

export interface BroadcastOptions {
  /** The loop: `index.m3u8` and its segments. */
  readonly loop: string
  /** Where the live stream is written, below nginx's document root; what else lies there is removed. */
  readonly channel: string
  /** A write failed: the stream stands still until one succeeds. */
  readonly onError: (error: unknown) => void
}

/** Sends the loop as a live stream: a playlist that slides with the clock, beside the segments that it names. Returns how to end it. */
export function startBroadcast({ loop, channel, onError }: BroadcastOptions): () => void {
  const segments = readSegments(readFileSync(join(loop, 'index.m3u8'), 'utf8'))
  rmSync(channel, { recursive: true, force: true })
  mkdirSync(channel, { recursive: true })
  const since = Date.now()
  let written = ''

  const write = (): void => {
    const onAir = goOnAir(segments, Date.now(), since)
    if (onAir.playlist === written) return
    for (const [sequence, { file }] of onAir.segments) put(`${sequence}.ts`, readFileSync(join(loop, file)))
    put('index.m3u8', onAir.playlist)
    written = onAir.playlist
    removeBefore((onAir.segments[0]?.[0] ?? 0) - SPARE)
  }
  /** Readers see the whole file or none of it. */
  const put = (name: string, content: string | Buffer): void => {
    const file = join(channel, name)
    if (name.endsWith('.ts') && existsSync(file)) return
    writeFileSync(`${file}.new`, content)
    renameSync(`${file}.new`, file)
  }
  const removeBefore = (sequence: number): void => {
    for (const name of readdirSync(channel)) {
      if (name.endsWith('.ts') && Number.parseInt(name, 10) < sequence)
        rmSync(join(channel, name), { force: true })
    }
  }

  write()
  const timer = setInterval(() => {
    try {
      write()
    } catch (error) {
      onError(error)
    }
  }, PERIOD)
  return () => clearInterval(timer)
}
