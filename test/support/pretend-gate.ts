import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { createDecide, type DecideOptions, type DecisionMade } from '../../src/decision/decide.ts'
import { createDenials, type Denials } from '../../src/decision/memory.ts'
import { createOutage } from '../../src/decision/outage.ts'
import { type Rehearsal, rehearse } from '../../src/decision/rehearse.ts'
import type { Stored } from '../../src/decision/stored.ts'
import type { Lifetimes } from '../../src/decision/terms.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { createSessionTable, type SessionTable } from '../../src/session/session-table.ts'
import type { SessionStore, SessionStoreOptions } from '../../src/state/session-store.ts'
import type { Question, Subrequest } from '../../src/subrequest.ts'
import type { Decision, Outcome, Verdict } from '../../src/verdict.ts'
import { createChance } from './create-chance.ts'
import { createIds } from './create-ids.ts'

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
  /** None unless given. */
  readonly stored?: Stored
  readonly onStoreLate?: () => void
  /** Builds the store beside it; none unless given. */
  readonly createStore?: (
    parts: Pick<SessionStoreOptions, 'identify' | 'scopeOf' | 'clock' | 'idle'>,
  ) => Pick<SessionStore, keyof Stored | 'ended'>
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
  /** Lets this many milliseconds pass on the pretend clock. */
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
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY
  const sessions = createSessionTable({
    ...{ max: options.maxSessions ?? 100_000, maxBytes, idle },
    onEnded: (session, why) => stored?.ended(session, why),
  })
  const provisional = createSessionTable({ max: options.maxProvisional ?? 20_000, maxBytes, idle })
  const denials = createDenials(options.maxDenials ?? 1_000)
  const { channelPattern, credentialPattern } = options
  const patterns = { channelPattern, credentialPattern }
  const identify = createIdentify({
    tokenParams: ['token'],
    ignoredParams: ['_HLS_*', 'CMCD'],
    ...patterns,
  })
  const stored = options.createStore?.({
    ...{ identify, idle },
    scopeOf: createScopeOf(patterns),
    clock: () => now,
  })
  const outage = createOutage()
  const deciding: DecideOptions = {
    async ask(question) {
      asked.push(question)
      return await rule(question.subrequest)
    },
    identify,
    ...patterns,
    sessions,
    provisional,
    denials,
    lifetimes: {
      allow: 60_000,
      deny: 5_000,
      stale: 3_600_000,
      default: 2_000,
      resume: 0,
      ...options.lifetimes,
    },
    outage,
    stored: stored ?? options.stored,
    ...(options.onStoreLate && { onStoreLate: options.onStoreLate }),
    defaultAction: options.defaultAction ?? 'deny',
    clock: () => now,
    random: options.random ?? (() => 0.5),
    newSessionId: options.newSessionId ?? createIds(createChance(1)),
    onDecision: (decision) => void made.push(decision),
    onBadDuration: (_backend, sent) => void badDurations.push(sent),
    // Nobody catches this error, so the test that caused it fails.
    onInternalError(error) {
      throw error
    },
  }
  const decide = createDecide(deciding)
  return {
    rehearse: (subrequest) =>
      rehearse(
        { ...deciding, ask: async (question) => await rule(question.subrequest), onDecision() {} },
        subrequest,
      ),
    async decide(subrequest) {
      return await decide(subrequest)
    },
    decideAtOnce(subrequest) {
      const decision = decide(subrequest)
      if (decision instanceof Promise) assert.fail(`the viewer waits for the backend: ${subrequest.path}`)
      return decision
    },
    pass(milliseconds) {
      now += milliseconds
    },
    now: () => now,
    answers(next) {
      rule = next
    },
    asked,
    made,
    badDurations,
    sessions,
    provisional,
    denials,
    outage,
    identify,
  }
}
