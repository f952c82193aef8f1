import type { Grant } from '../../src/verdict.ts'

/** What a viewer gets: `allow`, `session-limit`, or another reason of a deny. */
export type Answer = string

/** Where a case of the limit is played: in a pretended gate, or behind the real nginx. */
export interface LimitStage {
  /** A viewer, by the name of their player; at home unless another address is named. */
  viewer(player: string, address?: string): StageViewer
  /**
   * How many seconds later than in one gate it is seen that somebody goes on, or is silent: other gates
   * report it. 0 unless given.
   */
  readonly later?: number
  /** Lets time pass. */
  wait(seconds: number): Promise<void>
}

export interface StageViewer {
  /** A channel's playlist with a link of this name. */
  open(channel: string, link?: string): Promise<Answer>
  head(channel: string, link?: string): Promise<Answer>
  /** A segment of a channel, without a token. */
  segment(channel: string): Promise<Answer>
}

/** One row of the table in docs/sessions.md. */
export interface LimitCase {
  readonly name: string
  readonly sessionLimit?: 'newest' | 'refuse' | 'report'
  /** It takes few seconds of real time. */
  readonly quick?: true
  /** What the backend sends with an allow, by the name of the link. `42` with one session unless given. */
  readonly grant?: (link: string) => Grant
  /** Plays it, and says what is wrong by an assertion. */
  play(stage: LimitStage): Promise<void>
}

/** Seconds between two segments. */
const EVERY = 2

/**
 * All these go on for so long, a segment every 2 seconds. The result is what each got, repetitions left out:
 * `allow`, or `allow, session-limit`.
 */
export async function playOn(
  stage: LimitStage,
  seconds: number,
  ...playing: readonly (readonly [viewer: StageViewer, channel: string])[]
): Promise<string[]> {
  const got = playing.map((): Answer[] => [])
  for (let played = 0; ; played += EVERY) {
    for (const [at, [viewer, channel]] of playing.entries()) {
      const answer = await viewer.segment(channel)
      if (got[at]?.at(-1) !== answer) got[at]?.push(answer)
    }
    if (played >= seconds) return got.map((answers) => answers.join(', '))
    await stage.wait(EVERY)
  }
}
