import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { createDecide, type DecideOptions, type DecisionMade } from '../../src/decision/decide.ts'
import { createDenials, type Denials } from '../../src/decision/memory.ts'
import { createOutage } from '../../src/decision/outage.ts'
import { type Rehearsal, rehearse } from '../../src/decision/rehearse.ts'
import type { Stored } from '../../src/decision/stored.ts'
import type { Lifetimes } from '../../src/decision/terms.ts'
import type { StoredUsers } from '../../src/limit/limit-options.ts'
import type { UserLimit } from '../../src/limit/session-limit.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import type { CookieWatch } from '../../src/session/see.ts'
import type { Session, SessionEnd } from '../../src/session/session.ts'
import { createSessionTable, type SessionTable } from '../../src/session/session-table.ts'
import { createSessionStore, type SessionStore } from '../../src/state/session-store.ts'
import type { StoreState } from '../../src/state/store-link.ts'
import type { Question, Subrequest } from '../../src/subrequest.ts'
import type { Decision, Outcome, Verdict } from '../../src/verdict.ts'
import { createChance } from './create-chance.ts'
import { createIds } from './create-ids.ts'
import { createMemoryPlace, type MemoryPlace } from './memory-engine.ts'
import { createPretendLimit, type LimitNotes, type PretendLimitSettings } from './pretend-limit.ts'

/** Milliseconds between two sweeps of idle sessions, as shipped. */
const SWEEP_EVERY = 5_000

export interface PretendGateOptions {
  readonly defaultAction?: Verdict
  readonly channelPattern?: RegExp | undefined
  readonly credentialPattern?: RegExp | undefined
  /** Milliseconds; the rest as shipped. */
  readonly lifetimes?: Partial<Lifetimes>
  /** Milliseconds of silence that end a session. */
  readonly idle?: number
  readonly random?: () => number
  readonly newSessionId?: () => string
  readonly maxSessions?: number
  /** Of each kind. */
  readonly maxBytes?: number
  readonly maxProvisional?: number
  readonly maxDenials?: number
  /** With a store in memory. STATE_TIMEOUT is 100 ms. */
  readonly store?: boolean
  /** STATE_MAX in bytes. */
  readonly stateMax?: number
  /** How many sessions a user may have; nobody has a limit unless given. Timers fire at their times then. */
  readonly limit?: PretendLimitSettings
  /** With `limit`: the users of several gates. */
  readonly shared?: StoredUsers
  /** Who hears of session cookies. */
  readonly onCookie?: CookieWatch
  /** Another store than that in memory. */
  readonly stored?: Stored
}

/** The real decision, sessions and denials around a pretend clock, pretend chance and a pretend backend. */
export interface PretendGate {
  /** Decides, and waits for the backend when it must be asked. */
  decide(subrequest: Subrequest): Promise<Decision>
  /** Decides when nobody needs to wait. @throws when the viewer would have to wait for the backend */
  decideAtOnce(subrequest: Subrequest): Decision
  /**
   * Explains what would be decided, without changing anything. The backend is asked by the same rule, but
   * that is not recorded.
   */
  rehearse(subrequest: Subrequest): Promise<Rehearsal>
  /** Lets this many milliseconds pass on the pretend clock. Timers that are due fire at the end of them. */
  pass(milliseconds: number): void
  now(): number
  /** What the backend answers from now on. */
  answers(rule: (subrequest: Subrequest) => Outcome | Promise<Outcome>): void
  /** Every question so far, oldest first. */
  readonly asked: readonly Question[]
  readonly made: readonly DecisionMade[]
  /** Each X-AuthDuration that was reported as useless. */
  readonly badDurations: readonly string[]
  readonly sessions: SessionTable
  readonly provisional: SessionTable
  readonly denials: Denials
  readonly outage: DecideOptions['outage']
  readonly identify: DecideOptions['identify']
  readonly limit: UserLimit | undefined
  /** What the limit has told; empty without one. */
  readonly notes: LimitNotes
  /** The store of this process. */
  readonly stored: SessionStore
  /** Where it keeps its records. */
  readonly place: MemoryPlace
  /** What the store's link has said, oldest first. */
  readonly states: readonly StoreState[]
  /** Starts and ends of sessions, of all processes, oldest first: `opened ID part`, `ended ID part why`. */
  readonly events: readonly string[]
  /** The process ends in order, and another one starts with the same store. */
  restart(configuration?: string): Promise<void>
  /** The process dies at once, and another one starts with the same store. */
  crash(): Promise<void>
}

/**
 * A backend that allows when the last `token` is one of these, as PHP would read it, and else answers 403.
 */
export function tokens(...good: readonly string[]): (subrequest: Subrequest) => Outcome {
  return ({ query }) => {
    const token = new URLSearchParams(query).getAll('token').at(-1)
    return token !== undefined && good.includes(token) ? allow() : deny()
  }
}

/** @param authDuration `X-AuthDuration` as sent */
export function allow(authDuration?: string): Outcome {
  return { kind: 'allow', backend: 'pretend', grant: authDuration === undefined ? {} : { authDuration } }
}

export function deny(): Outcome {
  return { kind: 'deny', backend: 'pretend', status: 403 }
}

export function unavailable(): Outcome {
  return { kind: 'unavailable', backend: 'pretend', reason: 'timeout' }
}

/**
 * A client request as nginx would describe it.
 * @param target path and query as one text: `/live/ch1/index.m3u8?token=X`
 */
export function clientRequest(target: string, more: Partial<Subrequest> = {}): Subrequest {
  const mark = target.indexOf('?')
  return {
    address: '192.0.2.1',
    origin: 'https://live.example.com',
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    userAgent: 'VLC/3.0.21',
    playbackId: '',
    ...more,
  }
}

/** Lets everything run that waits for an answered question. */
export async function settled(): Promise<void> {
  await setImmediate()
}

export function createPretendGate(options: PretendGateOptions = {}): PretendGate {
  const idle = options.idle ?? 120_000
  let now = 0
  let rule: (subrequest: Subrequest) => Outcome | Promise<Outcome> = tokens('X')
  const asked: Question[] = []
  const made: DecisionMade[] = []
  const badDurations: string[] = []
  const events: string[] = []
  const states: StoreState[] = []
  const place = createMemoryPlace(() => now)
  const newSessionId = options.newSessionId ?? createIds(createChance(1))
  const { channelPattern, credentialPattern } = options
  const patterns = { channelPattern, credentialPattern }
  const identify = createIdentify({
    tokenParams: ['token'],
    ignoredParams: ['_HLS_*', 'CMCD'],
    ...patterns,
  })
  let timers: { readonly at: number; readonly act: () => void }[] = []
  const after = (milliseconds: number, act: () => void): (() => void) => {
    const timer = { at: now + milliseconds, act }
    timers.push(timer)
    return () => {
      timers = timers.filter((one) => one !== timer)
    }
  }

  /** As the service connects the parts. Its clock begins at 0. */
  const createProcess = (configuration = '') => {
    const born = now
    const clock = (): number => now - born
    const disk = place.create()
    const stored: SessionStore = createSessionStore({
      ...{ engine: disk, secrets: [], configuration, clock, after, idle, identify },
      scopeOf: createScopeOf(patterns),
      timeout: 100,
      onChange: (state) => void states.push(state),
      onSetAside() {},
      onCommand() {},
      onSilent: (session) => tell('ended', session, 'idle'),
      sessionsOf: (viewer) => sessions.of(viewer),
      onReturned(session, as) {
        if (as === 'adopted') tell('adopted', session)
      },
      limitedOf: (session) => limited?.limit.limitedOf(session),
    })
    const tell = (what: string, session: Session, why?: SessionEnd): void => {
      const part = stored.standing(session)?.part ?? 1
      events.push([what, session.id, part, ...(why === undefined ? [] : [why])].join(' '))
    }
    const table = (max: number): SessionTable =>
      createSessionTable({
        ...{ max, maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY, idle },
        ...(options.onCookie && { onCookie: options.onCookie }),
        onOpened: (session) => tell('opened', session),
        onEnded(session, why) {
          if (options.store) stored.ended(session, why, (how) => tell('ended', session, how))
          else tell('ended', session, why)
          limited?.limit.ended(session, why)
        },
      })
    const sessions = table(options.maxSessions ?? 100_000)
    const limited =
      options.limit &&
      createPretendLimit(options.limit, {
        ...{ identify, idle, clock, after, stored: options.shared },
        end: (session, why) => sessions.end(session, why),
      })
    const sweep = (): void => {
      sessions.sweep(clock())
      after(SWEEP_EVERY, sweep)
    }
    if (limited !== undefined) sweep()
    const deciding: DecideOptions = {
      async ask(question) {
        asked.push(question)
        return await rule(question.subrequest)
      },
      identify,
      ...patterns,
      sessions,
      limit: limited?.limit,
      provisional: table(options.maxProvisional ?? 20_000),
      denials: createDenials(options.maxDenials ?? 1_000),
      lifetimes: {
        allow: 60_000,
        deny: 5_000,
        stale: 3_600_000,
        default: 2_000,
        resume: options.store ? 'backend' : 0,
        ...options.lifetimes,
      },
      outage: createOutage(),
      stored: options.stored ?? (options.store ? stored : undefined),
      defaultAction: options.defaultAction ?? 'deny',
      ...{ clock, after, newSessionId },
      random: options.random ?? (() => 0.5),
      onDecision: (decision) => void made.push(decision),
      onBadDuration: (_backend, sent) => void badDurations.push(sent),
      // Nobody catches this error, so the test that caused it fails.
      onInternalError(error) {
        throw error
      },
    }
    const notes = limited?.notes ?? { displaced: [], refused: [], nonsense: [], shared: [] }
    return { disk, stored, deciding, limit: limited?.limit, notes, decide: createDecide(deciding), clock }
  }
  let current = createProcess()

  const replace = async (configuration?: string): Promise<void> => {
    timers = []
    current = createProcess(configuration)
    ready = start()
    await ready
  }
  /** A store that is not held back is open then. */
  const start = async (): Promise<void> => {
    void current.stored.start(2_000)
    await settled()
  }
  let ready = options.store ? start() : undefined

  const passInSteps = (end: number): void => {
    for (;;) {
      const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      timers = timers.filter((one) => one !== next)
      now = next.at
      next.act()
    }
    now = end
  }

  return {
    rehearse: (subrequest) =>
      rehearse(
        { ...current.deciding, ask: async (question) => await rule(question.subrequest), onDecision() {} },
        subrequest,
      ),
    async decide(subrequest) {
      if (ready !== undefined) await ready
      return await current.decide(subrequest)
    },
    decideAtOnce(subrequest) {
      const decision = current.decide(subrequest)
      if (decision instanceof Promise) assert.fail(`the viewer waits for the backend: ${subrequest.path}`)
      return decision
    },
    pass(milliseconds) {
      if (options.limit !== undefined) {
        passInSteps(now + milliseconds)
        return
      }
      now += milliseconds
      const due = timers.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
      timers = timers.filter(({ at }) => at > now)
      for (const { act } of due) act()
      if (!options.store) return
      current.deciding.sessions.sweep(current.clock())
      current.deciding.provisional.sweep(current.clock())
    },
    now: () => now,
    answers(next) {
      rule = next
    },
    ...{ asked, made, badDurations, events, states, place, identify },
    get sessions() {
      return current.deciding.sessions
    },
    get provisional() {
      return current.deciding.provisional
    },
    get denials() {
      return current.deciding.denials
    },
    get outage() {
      return current.deciding.outage
    },
    get limit() {
      return current.limit
    },
    get notes() {
      return current.notes
    },
    get stored() {
      return current.stored
    },
    async restart(configuration) {
      await current.stored.stop(500)
      await replace(configuration)
    },
    async crash() {
      current.disk.kill()
      await replace()
    },
  }
}
