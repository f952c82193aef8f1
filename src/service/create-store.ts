import type { Settings } from '../config/read-settings.ts'
import { judgedUnder } from '../config/shared-configuration.ts'
import type { Log } from '../log/log.ts'
import type { Identity, Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import { createFolderEngine } from '../state/folder/folder-engine.ts'
import { createSessionStore, type SessionStore, type SessionStoreOptions } from '../state/session-store.ts'
import type { StoreEngine } from '../state/store-engine.ts'
import type { StoreState } from '../state/store-link.ts'
import { createValkeyEngine } from '../state/valkey/valkey-engine.ts'
import type { Subrequest } from '../subrequest.ts'
import { startTimer } from '../timer.ts'

interface StoreOptions
  extends Pick<
    SessionStoreOptions,
    'clock' | 'sessionsOf' | 'onSilent' | 'onReturned' | 'onCommand' | 'limitedOf' | 'onEndedElsewhere'
  > {
  readonly settings: Settings
  readonly log: Log
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
  /** How many limits were judged by this gate alone so far, while others could not be heard. */
  readonly decidedAlone: () => number
}

/** How long one command to the store may take, in milliseconds. A request waits for less: STATE_TIMEOUT. */
const DEADLINES = { read: 1_000, write: 2_000, open: 5_000 }

/** Where sessions outlive this process, as STATE_URL says; undefined where it is off. */
export function createStore(options: StoreOptions): SessionStore | undefined {
  const { settings, log, clock } = options
  const { state } = settings
  if (state === undefined) return undefined
  const { timeout, secrets } = state
  const engine: StoreEngine =
    state.kind === 'file'
      ? createFolderEngine({ ...state, clock, wall: Date.now, after: startTimer, deadlines: DEADLINES })
      : createValkeyEngine({
          settings: state,
          // That it is away is told so soon; it is tried again and again.
          deadlines: { ...DEADLINES, open: 1_000, beat: timeout },
          startTimer,
        })
  return createSessionStore({
    ...options,
    ...{ engine, secrets, timeout, idle: settings.sessionIdle, after: startTimer },
    configuration: JSON.stringify(judgedUnder(settings)),
    onChange: createChangeLog(options, engine.isShared),
    onSetAside: (detail: string) => log.warn('state set aside', { detail }),
  })
}

/** Logs each change of the store. */
function createChangeLog(
  { log, decidedAlone }: StoreOptions,
  isShared: boolean,
): (state: StoreState, lasted: number) => void {
  let alone = 0
  return ({ usable, trouble, message: detail }, lasted) => {
    if (usable && trouble === 'full') return log.warn('state takes no new sessions', { why: trouble, detail })
    if (usable && trouble !== undefined)
      return log.warn('state unavailable', { why: trouble, detail: `a part of it: ${detail}` })
    if (!usable) {
      alone = decidedAlone()
      const limits = isShared ? { limits: 'count for this gate alone' } : {}
      return log.warn('state unavailable', { why: trouble, detail, ...limits })
    }
    const count = isShared ? { decidedAlone: decidedAlone() - alone } : {}
    log.warn('state available again', { seconds: Math.round(lasted / 1000), ...count })
  }
}
