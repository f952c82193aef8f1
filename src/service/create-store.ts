import { startTimer } from '../backend/timer.ts'
import type { Settings } from '../config/read-settings.ts'
import type { Log } from '../log/log.ts'
import type { Identity, Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import { createLevelStore } from '../state/level/level-store.ts'
import { readSystemClocks } from '../state/level/store-time.ts'
import { createSessionStore, type SessionStore, type SessionStoreOptions } from '../state/session-store.ts'
import type { StoreState } from '../state/store-link.ts'
import type { Subrequest } from '../subrequest.ts'

export interface StoreOptions
  extends Pick<
    SessionStoreOptions,
    'clock' | 'onSilent' | 'onClosed' | 'onReturned' | 'onCommand' | 'limitedOf'
  > {
  readonly settings: Settings
  readonly log: Log
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
}

/** How long one command to the store may take, in milliseconds. A request waits for less: STATE_TIMEOUT. */
const DEADLINES = { read: 1_000, write: 2_000, open: 5_000 }

/** The store of STATE_URL; undefined where it is off. */
export function createStore(options: StoreOptions): SessionStore | undefined {
  const { settings, log } = options
  const { state } = settings
  if (state === undefined) return undefined
  if (state.kind === 'valkey') throw new Error('not yet')
  const { folder, secrets, max, timeout } = state
  const store = createLevelStore({
    folder,
    secrets,
    configuration: configurationOf(settings),
    clocks: readSystemClocks(),
    startTimer,
    deadlines: DEADLINES,
  })
  return createSessionStore({
    ...options,
    ...{ store, max, timeout, after },
    idle: settings.sessionIdle,
    onChange: (now, lasted) => logChange(log, now, lasted),
    onSetAside: (detail) => log.warn('state set aside', { detail }),
  })
}

/** All that a verdict depended on. A session that was judged under other settings is unknown under these. */
function configurationOf(settings: Settings): string {
  const { backends, backendMode, tokenParams, ignoredParams, channelPattern, credentialPattern } = settings
  return JSON.stringify([
    backends.map(({ protocol, authority, path, query, authorization }) => [
      ...[protocol, authority, path, query, authorization],
    ]),
    backendMode,
    tokenParams,
    ignoredParams,
    channelPattern?.source,
    credentialPattern?.source,
  ])
}

function logChange(log: Log, { usable, trouble, message: detail }: StoreState, lasted: number): void {
  if (usable) log.warn('state available again', { seconds: Math.round(lasted / 1000) })
  else log.warn('state unavailable', { why: trouble, detail })
}

function after(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds).unref()
  return () => clearTimeout(timer)
}
