import { audience, type ViewerRequest, wireOf } from './audience.ts'
import type { Crowd } from './crowds.ts'
import { cpuSeconds } from './process-readings.ts'
import { type Arrival, type Outcome, sendInTime } from './send-in-time.ts'
import { shuffle } from './shuffle.ts'
import { type Entrant, warm } from './stage.ts'

/** How many come, and in how many seconds. */
export interface KickOffOptions {
  readonly viewers: number
  readonly seconds: number
  /** Whether nobody has come to this process before. Otherwise a quarter of that number has. */
  readonly cold: boolean
}

/** What one crowd met at one contender. */
export interface KickOff {
  readonly newcomers: readonly Outcome[]
  /** Requests of viewers who play already: in the same time before, and while the crowd came. */
  readonly before: readonly Outcome[]
  readonly meanwhile: readonly Outcome[]
  /** CPU seconds while the crowd came. */
  readonly cpu: { readonly nginx: number; readonly gate: number; readonly generator: number }
  /** Milliseconds that each request was sent after its time. */
  readonly lateness: readonly number[]
}

/** Requests per second of those who play already. */
export const PLAYING = 500

/** Lets a crowd come to one contender while others play. */
export async function runKickOff(
  entrant: Entrant,
  crowd: Crowd,
  { viewers, seconds, cold }: KickOffOptions,
): Promise<KickOff> {
  const { port, nginx, gates = [] } = entrant.running
  const { playlists, segments } = audience()
  const known = shuffle([...playlists, ...segments])
  await warm(entrant, 'hits')
  if (!cold) {
    // Code that has run often is compiled. A gate that has just started takes twice the time for a question.
    const earlier = Math.floor(viewers / 4)
    await sendInTime(
      port,
      spread(earlier, seconds, (number) => crowd.viewer(viewers + number)),
    )
  }

  const playing = spread(PLAYING * seconds, seconds, (number) => known[number % known.length])
  // In an order that looks random, so that those behind one address do not come one after the other.
  const newcomers = shuffle(Array.from({ length: viewers }, (_, number) => crowd.viewer(number)))
  const coming = spread(viewers, seconds, (number) => newcomers[number])

  const before = await sendInTime(port, playing)
  const all = [...playing, ...coming].sort((one, other) => one.at - other.at)
  const cpuBefore = { nginx: cpuSeconds(nginx), gate: cpuSeconds(...gates) }
  const { outcomes, lateness, cpu } = await sendInTime(port, all)
  const isPlaying = new Set(playing)
  const of = (wanted: boolean): Outcome[] =>
    outcomes.filter((_, at) => isPlaying.has(all[at] as Arrival) === wanted)
  return {
    newcomers: of(false),
    before: before.outcomes,
    meanwhile: of(true),
    cpu: {
      nginx: cpuSeconds(nginx) - cpuBefore.nginx,
      gate: cpuSeconds(...gates) - cpuBefore.gate,
      generator: cpu,
    },
    lateness,
  }
}

/** Requests at random times. */
function spread(
  count: number,
  seconds: number,
  request: (number: number) => ViewerRequest | undefined,
): Arrival[] {
  const times = Array.from({ length: count }, () => Math.random() * seconds * 1_000)
  return times
    .sort((one, other) => one - other)
    .flatMap((at, number) => {
      const one = request(number)
      return one === undefined ? [] : [{ at, wire: wireOf(one) }]
    })
}
