import type { Scope } from '../test/support/scope.ts'
import { audience, intruders, type ViewerRequest } from './audience.ts'
import type { Contender, Running } from './contenders/contender.ts'
import { type Grounds, type GroundsOptions, prepareGrounds } from './grounds.ts'
import { selfCheck } from './self-check.ts'
import { sendAll } from './send-all.ts'
import type { WorkName } from './works.ts'

/** A contender that runs. */
export interface Entrant {
  readonly contender: Contender
  readonly running: Running
}

/** The running and checked contenders of a comparison. */
export interface Stage {
  readonly grounds: Grounds
  readonly entrants: readonly Entrant[]
}

/**
 * Starts these contenders, all at once, so that rounds can alternate between them.
 * @throws when one fails its self-check
 */
export async function openStage(
  scope: Scope,
  contenders: readonly Contender[],
  options?: GroundsOptions,
): Promise<Stage> {
  const grounds = await prepareGrounds(scope, options)
  const entrants: Entrant[] = []
  for (const contender of contenders) {
    const running = await contender.start(scope, grounds)
    await selfCheck(contender, running, grounds)
    entrants.push({ contender, running })
  }
  return { grounds, entrants }
}

/**
 * Sends the requests of a work's known viewers, so that the contender knows them.
 * @throws when an answer has the wrong status
 */
export async function warm({ contender, running }: Entrant, work: WorkName): Promise<void> {
  const { playlists, segments } = audience()
  const batches: Readonly<Record<WorkName, readonly ViewerRequest[][]>> = {
    // Playlists before segments, as a player asks.
    hits: [playlists, segments],
    mixed: [playlists, segments],
    denies: [intruders()],
    misses: [],
  }
  const expected = work === 'denies' ? 403 : 200
  for (const requests of batches[work]) {
    const statuses = await sendAll(running.port, requests)
    const wrong = statuses.find((status) => status !== expected)
    if (wrong !== undefined)
      throw new Error(
        `${contender.letter} (${contender.name}) answered ${wrong} and not ${expected} to a viewer of the ${work}`,
      )
  }
}
