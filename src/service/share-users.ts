import type { DisplacedSession } from '../limit/displace.ts'
import { type Cause, causes } from '../limit/user.ts'
import type { Message, SharedStore } from '../state/shared-store.ts'
import type { SharedUsers, UserLimit } from '../users/user-limit.ts'

/**
 * The users of all gates that share a store.
 * @param offset whole milliseconds from the monotonic clock to the time of the store
 */
export function shareUsers(
  { users: values, messages }: SharedStore,
  offset: () => number,
  onAlone: () => void,
): SharedUsers {
  return {
    ...{ values, offset, onAlone },
    tell({ id, by, cause, left }) {
      // Whoever has it finds out with the next report, too.
      messages.post({ kind: 'displaced', id, by, cause, left }).catch(() => undefined)
    },
  }
}

/** Ends the sessions of this gate that have to give way to those of another one. */
export function hearDisplaced(
  { messages, gate }: SharedStore,
  limit: Pick<UserLimit, 'displacedElsewhere'>,
): void {
  messages.onMessage((message, from) => {
    const gone = message.kind === 'displaced' && from !== gate ? readDisplaced(message) : undefined
    if (gone !== undefined) limit.displacedElsewhere(gone)
  })
}

/** As another gate or release has written it; undefined when it is none. */
function readDisplaced({ id, by, cause: sent, left }: Message): DisplacedSession | undefined {
  const cause: Cause = causes.find((known) => known === sent) ?? 'other'
  if (typeof id !== 'string' || typeof by !== 'string') return undefined
  return { id, by, cause, left: left === true }
}
