import { setImmediate } from 'node:timers/promises'
import { createDecide, type DecisionMade } from '../../src/decision/decide.ts'
import { createDenials } from '../../src/decision/memory.ts'
import { createOutage } from '../../src/decision/outage.ts'
import type { Lifetimes } from '../../src/decision/terms.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { createSessionTable, type SessionTable } from '../../src/session/session-table.ts'
import { createSessionStore, type SessionStore } from '../../src/state/session-store.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import type { Question, Subrequest } from '../../src/subrequest.ts'
import type { Decision, Outcome, Verdict } from '../../src/verdict.ts'
import { type FolderPlace, makeFolderPlace } from '../state/folder-place.ts'
import { tokens } from './pretend-gate.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

/** A process of the gate on a pretend clock, with a real store: LevelDB in a folder. */
export interface PretendProcess {
  decide(subrequest: Subrequest): Promise<Decision>
  answers(rule: (subrequest: Subrequest) => Outcome | Promise<Outcome>): void
  readonly asked: readonly Question[]
  readonly made: readonly DecisionMade[]
  readonly sessions: SessionTable
  readonly provisional: SessionTable
  readonly store: SessionStore
  /** Its own clock, which begins at 0. */
  now(): number
  /** Lets this many milliseconds pass; timers of the store fire. */
  pass(milliseconds: number): Promise<void>
  /** Resolves when all that happened so far is written. */
  written(): Promise<void>
  /** It ends as by SIGTERM. */
  stop(): Promise<void>
  /** It ends as by kill -9: what was not written is lost. */
  kill(): Promise<void>
}

export interface PretendProcessOptions {
  readonly lifetimes?: Partial<Lifetimes>
  /** Milliseconds of silence that end a session. */
  readonly idle?: number
  readonly defaultAction?: Verdict
  /** What the disk is hidden behind. */
  readonly behind?: (engine: StoreEngine) => StoreEngine
  /** It uses this store in place of the disk, with other gates. */
  readonly shared?: StoreEngine
}

/** A machine on which one gate after the other uses the same folder. */
export interface PretendMachine {
  readonly place: FolderPlace
  /** Starts a gate. One at a time. */
  start(options?: PretendProcessOptions): Promise<PretendProcess>
  /** Time passes while no gate runs. */
  pass(milliseconds: number): void
}

export function createPretendMachine(scope: Scope): PretendMachine {
  const place = makeFolderPlace(scope)
  return {
    place,
    pass: place.pass,
    start: (options = {}) => {
      const { behind = (engine) => engine, shared } = options
      return startProcess(scope, place, shared ?? behind(place.create()), options)
    },
  }
}

async function startProcess(
  scope: Scope,
  place: FolderPlace,
  engine: StoreEngine,
  options: PretendProcessOptions,
): Promise<PretendProcess> {
  const { idle = 120_000, defaultAction = 'deny' } = options
  let now = 0
  let rule: (subrequest: Subrequest) => Outcome | Promise<Outcome> = tokens('X')
  const asked: Question[] = []
  const made: DecisionMade[] = []
  const timers = new Set<{ readonly at: number; readonly act: () => void }>()
  const clock = (): number => now
  const patterns = { channelPattern: undefined, credentialPattern: undefined }
  const identify = createIdentify({ tokenParams: ['token'], ignoredParams: ['_HLS_*', 'CMCD'], ...patterns })
  const after = (milliseconds: number, act: () => void): (() => void) => {
    const timer = { at: now + milliseconds, act }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  const store = createSessionStore({
    ...{ engine, secrets: [], configuration: '', clock, after, idle, identify },
    ...{ scopeOf: createScopeOf(patterns), timeout: 100 },
    sessionsOf: (viewer) => memory.sessions.of(viewer),
    onChange() {},
    onSetAside() {},
    onCommand() {},
    onReturned() {},
    onSilent() {},
  })
  const table = (): SessionTable =>
    createSessionTable({
      max: 1_000,
      maxBytes: Number.POSITIVE_INFINITY,
      idle,
      onEnded: (session, why) => store.ended(session, why),
    })
  const memory = { sessions: table(), provisional: table(), denials: createDenials(1_000) }
  const decide = createDecide({
    ...{
      ...memory,
      ...patterns,
      outage: createOutage(),
      stored: store,
      identify,
      defaultAction,
      clock,
      after,
    },
    async ask(question) {
      asked.push(question)
      return await rule(question.subrequest)
    },
    lifetimes: {
      ...{ allow: 60_000, deny: 5_000, stale: 3_600_000, default: 2_000, resume: 'backend' },
      ...options.lifetimes,
    },
    random: () => 0.5,
    onDecision: (decision) => void made.push(decision),
    onBadDuration() {},
    // Nobody catches this error, so the test that caused it fails.
    onInternalError(error) {
      throw error
    },
  })
  await store.start(Number.POSITIVE_INFINITY)
  scope.after(() => engine.close())

  const move = (to: number): void => {
    place.pass(to - now)
    now = to
  }
  const pass = async (milliseconds: number): Promise<void> => {
    const end = now + milliseconds
    for (;;) {
      const [next] = [...timers].sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      timers.delete(next)
      move(next.at)
      next.act()
    }
    move(end)
    await setImmediate()
  }
  return {
    decide: async (subrequest) => await decide(subrequest),
    answers(next) {
      rule = next
    },
    ...{ asked, made, store, pass },
    sessions: memory.sessions,
    provisional: memory.provisional,
    now: clock,
    async written() {
      await pass(100)
      await until('the store to be written', () => store.waiting() === 0)
      // It waits for what is being written.
      await engine.drop([])
    },
    stop: () => store.stop(Number.POSITIVE_INFINITY),
    async kill() {
      timers.clear()
      await engine.close()
    },
  }
}
