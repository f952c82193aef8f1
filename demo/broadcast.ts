import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goOnAir, readSegments } from './live-playlist.ts'

/** Milliseconds between two looks at the clock. */
const PERIOD = 250
/** How many old segments stay on disk, for slow players. */
const SPARE = 6

/** What is sent, and where. */
export interface BroadcastOptions {
  /** The folder of the loop: `index.m3u8` and its segments. */
  readonly loop: string
  /** The folder of the live stream, below nginx's document root. Its old content is removed. */
  readonly channel: string
  /** Called when a write failed. The stream stands still until a write succeeds. */
  readonly onError: (error: unknown) => void
}

/**
 * Sends the loop as a live stream: the segments, and a playlist that moves with the clock. Returns a function
 * that ends it.
 */
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
  /** Writes a file so that readers see all of it or nothing. */
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
