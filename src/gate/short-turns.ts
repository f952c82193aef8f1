import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Listener } from './router.ts'

/** Subrequests that are answered in one turn of the event loop, and in one that has accepted a connection: others may wait behind it. */
const MOST_IN_A_TURN = 8
const MOST_BESIDE_A_NEW_ONE = 1

export interface ShortTurns {
  readonly answer: Listener
  /** A connection was accepted in this turn. */
  accepted(): void
}

/**
 * libuv accepts one connection in a turn of the event loop. Were all that is ready answered in one turn, nginx's new connections would each wait
 * for a subrequest of every busy one: 50 beside 300 for 0.7 s. So a turn answers a few, and the others follow in their order.
 */
export function inShortTurns(gate: Listener): ShortTurns {
  const waiting: [request: IncomingMessage, response: ServerResponse][] = []
  let answered = 0
  let most = MOST_IN_A_TURN

  const answer: Listener = (request, response) => {
    if (answered++ === 0) setImmediate(startTurn)
    gate(request, response)
  }

  const startTurn = (): void => {
    answered = 0
    const now = waiting.splice(0, most)
    most = MOST_IN_A_TURN
    for (const [request, response] of now) {
      // What nginx has given up meanwhile is nobody's question any more.
      if (!response.destroyed) answer(request, response)
    }
    if (answered === 0 && waiting.length > 0) setImmediate(startTurn)
  }

  return {
    answer(request, response) {
      if (answered < MOST_IN_A_TURN && waiting.length === 0) answer(request, response)
      else waiting.push([request, response])
    },
    accepted() {
      most = MOST_BESIDE_A_NEW_ONE
    },
  }
}
