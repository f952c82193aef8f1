/** A stretch of the loop: one file of `demo/stream`. */
export interface Segment {
  readonly file: string
  /** Seconds. */
  readonly duration: number
}

/** How many segments a playlist holds. */
const WINDOW = 6

/** What of the loop is on air. */
export interface OnAir {
  /** Media sequence number → the segment of the loop, oldest first. */
  readonly segments: readonly (readonly [sequence: number, Segment])[]
  /** The text of the media playlist; the segments are called `<sequence>.ts`. */
  readonly playlist: string
}

/** The segments of a playlist that ffmpeg wrote. */
export function readSegments(playlist: string): Segment[] {
  return [...playlist.matchAll(/^#EXTINF:([\d.]+),.*\n(.+)$/gm)].map(([, duration, file = '']) => ({
    file,
    duration: Number(duration),
  }))
}

/**
 * The loop as a live stream at one moment; `now` and `since`, when the broadcast began, are in milliseconds since 1970. Segments are
 * counted by the clock, so that a writer that was started again goes on where its predecessor would be; discontinuities only since
 * the beginning, because hls.js takes seconds over numbers of nine digits. The segments must be of equal length.
 */
export function goOnAir(loop: readonly Segment[], now: number, since: number): OnAir {
  const [first] = loop
  if (first === undefined) throw new Error('the loop has no segments')
  // The newest that is over: a live encoder cannot deliver what still goes on.
  const oldestAt = (time: number): number => Math.floor(time / 1000 / first.duration) - WINDOW
  const oldest = oldestAt(now)
  const startsBefore = (sequence: number): number => Math.ceil(sequence / loop.length)
  const sequences = Array.from({ length: WINDOW }, (_, at) => oldest + at)
  const segments = sequences.map((sequence) => [sequence, loop[sequence % loop.length] ?? first] as const)
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-TARGETDURATION:${Math.ceil(first.duration)}`,
    `#EXT-X-MEDIA-SEQUENCE:${oldest}`,
    // One discontinuity before each start of the loop; this many are gone from the playlist.
    `#EXT-X-DISCONTINUITY-SEQUENCE:${startsBefore(oldest) - startsBefore(oldestAt(since))}`,
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(oldest * first.duration * 1000).toISOString()}`,
    ...segments.flatMap(([sequence, { duration }]) => [
      ...(sequence % loop.length === 0 ? ['#EXT-X-DISCONTINUITY'] : []),
      `#EXTINF:${duration.toFixed(3)},`,
      `${sequence}.ts`,
    ]),
  ]
  return { segments, playlist: `${lines.join('\n')}\n` }
}
