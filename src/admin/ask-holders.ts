import type { GateHolds } from '../explain/explanation.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Asking } from './gate-answers.ts'
import { readView } from './merge-sessions.ts'
import { readReply } from './read-reply.ts'

/** Asks the other gates which session of theirs would answer a request. It changes nothing there. */
export type AskHolders = (subrequest: Subrequest) => Promise<readonly GateHolds[]>

export function createAskHolders(fleet: Pick<Fleet, 'ask' | 'isAway'>): AskHolders {
  return async (subrequest) => {
    const what: Asking = 'held'
    const { others, gates } = await fleet.ask(what, { subrequest }, () => undefined)
    const silent = gates.filter(({ answered }) => !answered)
    const why = fleet.isAway()
      ? 'it cannot be asked: the store is away'
      : 'it has not answered within half a second'
    return [
      ...others.map(({ name, value }): GateHolds => {
        const reply = readReply(value)
        const session = readView(reply.record('session')) ?? null
        return {
          gate: name,
          answered: true,
          session,
          finding: findingOf(session !== null, reply.flag('own')),
        }
      }),
      ...silent.map(({ name }): GateHolds => ({ gate: name, answered: false, session: null, finding: why })),
    ]
  }
}

function findingOf(has: boolean, own: boolean): string {
  if (!has) return 'it has no session that covers this request'
  return own
    ? 'it would allow this: this very request has opened a session there'
    : 'it would allow this: the request rides on a session there'
}
