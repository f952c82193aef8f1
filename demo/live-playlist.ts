/** One file of `demo/stream`. */
export interface Segment {
  readonly file: string
  /** Seconds. */
  readonly duration: number
}

/** Segments in a playlist. */
const WINDOW = 6

/** The part of the loop that players can get now. */
export interface OnAir {
  /** Media sequence number and segment of the loop, oldest first. */
  readonly segments: readonly (readonly [sequence: number, Segment])[]
  /** The text of the media playlist. Its segments have the names `<sequence>.ts`. */
  readonly playlist: string
}

/** Reads the segments of a playlist that ffmpeg wrote. */
export function readSegments(playlist: string): Segment[] {
  return [...playlist.matchAll(/^#EXTINF:([\d.]+),.*\n(.+)$/gm)].map(([, duration, file = '']) => ({
    file,
    duration: Number(duration),
  }))
}

/**
 * The loop as a live stream at one moment. All segments must have the same length.
 * Segments are counted by the clock. So a writer that was restarted goes on where the earlier one would be.
 * Discontinuities are counted from the beginning of the broadcast, because hls.js takes seconds for numbers
 * of nine digits.
 * @param now milliseconds since 1970
 * @param since the beginning of the broadcast, in milliseconds since 1970
 */
export function goOnAir(loop: readonly Segment[], now: number, since: number): OnAir {
  const [first] = loop
  if (first === undefined) throw new Error('the loop has no segments')
  // The newest segment that is complete: a live encoder cannot deliver the present one.
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
    // One discontinuity stands before each start of the loop. This many have left the playlist.
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
