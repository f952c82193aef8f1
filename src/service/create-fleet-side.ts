import { createDeskOfGates, type DeskOfGates } from '../admin/desk-of-gates.ts'
import type { EventStream } from '../admin/event-stream.ts'
import { createGateAnswers } from '../admin/gate-answers.ts'
import { createNewsOfGates, type NewsOfGates } from '../admin/news-of-gates.ts'
import { createRecentChanges, type RecentChanges } from '../admin/recent-changes.ts'
import type { DeskAmongGates, SessionsDesk } from '../admin/sessions-desk.ts'
import type { FindHeld } from '../explain/find-held.ts'
import { createFleet, type Fleet, type FleetOptions } from '../fleet/fleet.ts'
import type { Session } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'

/** What makes this gate one of several. */
export interface AmongGates extends DeskAmongGates, Pick<FleetOptions, 'shared'> {}

export interface FleetSideOptions
  extends AmongGates,
    Pick<FleetOptions, 'version' | 'sessions' | 'clock' | 'onInternalError'> {
  readonly desk: SessionsDesk
  readonly findHeld: FindHeld
  readonly viewOf: (session: Session) => SessionView
  readonly live: () => EventStream
}

/** What the operator sees of the other gates. */
export interface FleetSide {
  readonly fleet: Fleet
  readonly desk: DeskOfGates
  readonly news: NewsOfGates
  readonly changes: RecentChanges
}

export function createFleetSide(options: FleetSideOptions): FleetSide {
  const { shared, name, version, sessions, clock, after, toStoreTime, onInternalError } = options
  const { desk, findHeld, viewOf, live } = options
  const changes = createRecentChanges({ name, viewOf, clock })
  const answerers = createGateAnswers({ gate: shared.gate, desk, changes, findHeld })
  const fleet = createFleet({
    ...{ shared, name, version, sessions, answerers, clock, after, toStoreTime, onInternalError },
  })
  return {
    fleet,
    desk: createDeskOfGates({ desk, fleet, toStoreTime, clock }),
    news: createNewsOfGates({ fleet, version, sessions, live, clock, onInternalError }),
    changes,
  }
}
