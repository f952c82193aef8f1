import type { Settings } from '../config/read-settings.ts'
import type { Log } from '../log/log.ts'
import type { Identity, Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import { createLevelStore, type LevelStore } from '../state/level/level-store.ts'
import { readSystemClocks } from '../state/level/store-time.ts'
import { StoreError } from '../state/record-store.ts'
import { createSessionStore, type SessionStore, type SessionStoreOptions } from '../state/session-store.ts'
import type { StoreState } from '../state/store-link.ts'
import type { UserTexts } from '../state/user-texts.ts'
import { createValkeyLink } from '../state/valkey/valkey-link.ts'
import { createValkeyStore, type ValkeyStore } from '../state/valkey/valkey-store.ts'
import type { Subrequest } from '../subrequest.ts'
import { startTimer } from '../timer.ts'
import { takeFolderAlong } from './take-folder-along.ts'

export interface StoreOptions
  extends Pick<
    SessionStoreOptions,
    | 'clock'
    | 'sessionsOf'
    | 'onSilent'
    | 'onClosed'
    | 'onReturned'
    | 'onCommand'
    | 'limitedOf'
    | 'onEndedElsewhere'
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

/** How long the start waits until a folder's sessions are taken along, in milliseconds. The rest follows. */
const TAKE_ALONG = 4_000

/** Where sessions outlive this process. */
export interface Store {
  readonly sessions: SessionStore
  /** What gates share beside the sessions; undefined for a folder. */
  readonly shared: ValkeyStore | undefined
  /** The texts of the users. */
  readonly users: UserTexts
  /** Opens it, within `patience` milliseconds. */
  start(patience: number): Promise<void>
}

/** The store of STATE_URL; undefined where it is off. */
export function createStore(options: StoreOptions): Store | undefined {
  const { settings, log, clock } = options
  const { state } = settings
  if (state === undefined) return undefined
  const configuration = configurationOf(settings)
  const common = {
    ...options,
    ...{ timeout: state.timeout, idle: settings.sessionIdle, after },
    onChange: createChangeLog(options),
    onSetAside: (detail: string) => log.warn('state set aside', { detail }),
  }
  const inFolder = (folder: string, secrets: readonly string[]): LevelStore =>
    createLevelStore({
      ...{ folder, secrets, configuration, startTimer },
      clocks: readSystemClocks(),
      deadlines: DEADLINES,
    })
  if (state.kind === 'file') {
    const { folder, secrets, max } = state
    const store = inFolder(folder, secrets)
    const sessions = createSessionStore({ ...common, store, max })
    const users: UserTexts = {
      isShared: false,
      isUsable: () => sessions.state().usable,
      read: (user) => within(state.timeout, store.users.read(user)),
      write: (...change) => within(state.timeout, store.users.write(...change)),
      now: store.now,
    }
    return { sessions, users, shared: undefined, start: sessions.start }
  }
  const shared = createValkeyStore({ settings: state, configuration, clock, wall: Date.now, startTimer })
  const sessions = createSessionStore({
    ...{ ...common, store: shared, shared, max: Number.POSITIVE_INFINITY },
    createLink: (link) => createValkeyLink({ ...link, store: shared }),
  })
  return {
    sessions,
    shared,
    users: shared.users,
    async start(patience) {
      await sessions.start(patience)
      const { formerFolders: folders } = settings
      const { secrets } = state
      if (!sessions.state().usable) return
      const taken = takeFolderAlong({ folders, secrets, createStore: inFolder, to: shared, log })
      await Promise.race([taken, new Promise<void>((resolve) => void after(TAKE_ALONG, resolve))])
    },
  }
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

/** Logs each change of the store, or of one of its servers: one may be away while the store can be used. */
function createChangeLog({ log, decidedAlone }: StoreOptions): (state: StoreState, lasted: number) => void {
  let alone = 0
  return (state, lasted) => {
    const { usable, trouble, message: detail } = state.node ?? state
    const isShared = state.nodes !== undefined
    if (!usable) {
      alone = decidedAlone()
      const limits = isShared ? { limits: 'count for this gate alone' } : {}
      return log.warn('state unavailable', { why: trouble, detail, ...limits })
    }
    const count = isShared ? { decidedAlone: decidedAlone() - alone } : {}
    log.warn('state available again', { seconds: Math.round(lasted / 1000), ...count })
  }
}

/** @throws {StoreError} when it takes longer, in milliseconds */
function within<Result>(longest: number, result: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new StoreError('timeout', 'the disk of the store does not answer in time'))
    const cancel = after(longest, late)
    result.finally(cancel).then(resolve, reject)
  })
}

function after(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds).unref()
  return () => clearTimeout(timer)
}
