import { createChance } from './create-chance.ts'
import { createIds } from './create-ids.ts'
import { clientRequest, createPretendGate, settled } from './pretend-gate.ts'

export interface AudienceOptions {
  readonly viewers: number
  /** The openings are spread evenly over this time; milliseconds. */
  readonly arriveWithin: number
  readonly seconds: number
  /** ALLOW_TTL in milliseconds; as shipped unless given. */
  readonly term?: number
  /** A player's cycle in milliseconds: CYCLE unless given. */
  readonly cycle?: number
}

export interface Watched {
  /** Questions to the backend in each second, from the first on. */
  readonly questions: readonly number[]
  readonly total: number
  /** Requests that were not allowed, or not answered at once after the opening. */
  readonly wrong: number
}

/**
 * Milliseconds. Each viewer fetches the playlist at the start of its own cycles, and a segment SEGMENT_AFTER
 * later.
 */
export const CYCLE = 6_000
export const SEGMENT_AFTER = 1_000

/**
 * Viewers who play, on a pretend clock, with the lifetimes as shipped and real jitter. Each opens its session
 * once, and then keeps to a cycle that begins at its own moment: real players that start together do not
 * fetch at the same moments.
 */
export async function watch({
  viewers,
  arriveWithin,
  seconds,
  term: allow = 60_000,
  cycle = CYCLE,
}: AudienceOptions): Promise<Watched> {
  const chance = createChance(20_260_601)
  const gate = createPretendGate({
    random: chance,
    newSessionId: createIds(chance),
    lifetimes: { allow },
  })
  const audience = Array.from({ length: viewers }, (_, n) => {
    const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
    return {
      opensAt: Math.floor((n * arriveWithin) / viewers),
      playlist: clientRequest('/live/one/index.m3u8?token=X', { address }),
      segment: clientRequest('/live/one/1.ts', { address }),
      phase: Math.floor(chance() * cycle),
    }
  })
  const end = seconds * 1_000
  const questions = new Array<number>(seconds).fill(0)
  let total = 0
  let wrong = 0
  const count = async (): Promise<void> => {
    const second = Math.floor(gate.now() / 1_000)
    questions[second] = (questions[second] ?? 0) + gate.asked.length - total
    total = gate.asked.length
    await settled()
  }

  // Each cycle has the same moments, so they are sorted once.
  const moments = audience
    .flatMap((viewer) => [
      { viewer, request: viewer.playlist, at: viewer.phase },
      { viewer, request: viewer.segment, at: (viewer.phase + SEGMENT_AFTER) % cycle },
    ])
    .sort((a, b) => a.at - b.at)
  const openings = audience.toSorted((a, b) => a.opensAt - b.opensAt)
  let opened = 0
  const openUntil = async (time: number): Promise<void> => {
    for (let next = openings[opened]; next !== undefined && next.opensAt <= time; next = openings[++opened]) {
      gate.pass(next.opensAt - gate.now())
      if ((await gate.decide(next.playlist)).verdict !== 'allow') wrong++
      await count()
    }
  }

  for (let start = 0; start < end; start += cycle) {
    for (const { viewer, request, at } of moments) {
      const time = start + at
      await openUntil(time)
      if (time <= viewer.opensAt || time >= end) continue
      gate.pass(time - gate.now())
      if (gate.decideAtOnce(request).verdict !== 'allow') wrong++
      if (gate.asked.length > total) await count()
    }
  }
  return { questions, total, wrong }
}
