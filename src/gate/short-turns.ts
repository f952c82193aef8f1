import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Listener } from './router.ts'

/** Subrequests that are answered in one turn of the event loop. */
const MOST_IN_A_TURN = 8

/**
 * libuv accepts one connection in a turn of the event loop. Were all that is ready answered in one turn, nginx's new connections would each wait
 * for a subrequest of every busy one: 50 beside 300 for 0.7 s. So a turn answers a few, and the others follow in their order.
 */
export function inShortTurns(gate: Listener): Listener {
  const waiting: [request: IncomingMessage, response: ServerResponse][] = []
  let answered = 0

  const answer: Listener = (request, response) => {
    if (answered++ === 0) setImmediate(startTurn)
    gate(request, response)
  }

  const startTurn = (): void => {
    answered = 0
    for (const [request, response] of waiting.splice(0, MOST_IN_A_TURN)) {
      // What nginx has given up meanwhile is nobody's question any more.
      if (!response.destroyed) answer(request, response)
    }
    if (answered === 0 && waiting.length > 0) setImmediate(startTurn)
  }

  return (request, response) => {
    if (answered < MOST_IN_A_TURN && waiting.length === 0) answer(request, response)
    else waiting.push([request, response])
  }
}
