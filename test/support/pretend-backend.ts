import { createAddressGroupsOf, usualPrefixes } from '../../src/address.ts'
import { type Backend, createBackend } from '../../src/backend/backend.ts'
import type { Factors } from '../../src/backend/line.ts'
import type { Client, Reply, Sending } from '../../src/client/client.ts'
import { readEndpoint } from '../../src/client/endpoint.ts'
import type { Question } from '../../src/subrequest.ts'
import type { Outcome } from '../../src/verdict.ts'
import { clientRequest } from './pretend-gate.ts'
import { createPretendTime, type PretendTime } from './pretend-time.ts'
import { questionAbout } from './question-about.ts'

/** What the backend does with one question: a status after so many milliseconds, nothing, or a reset. */
export type Act = { readonly status: number; readonly took: number } | 'silent' | 'reset'

/** What came of a question. */
export interface Came {
  /** `allow`, `deny`, or the reason of a failure. */
  readonly what: string
  /** Milliseconds of the pretend clock. */
  readonly at: number
  readonly took: number
}

export interface PretendBackendOptions {
  /** How many questions it works on at once; the others wait. Unless given, on all. */
  readonly workers?: number
  /** Milliseconds; a second unless given. */
  readonly timeout?: number
  readonly concurrency?: number
  readonly unavailableStatus?: readonly number[]
  readonly factors?: Factors
}

/** The real room before a pretend backend: no connection, and time passes only when the test says so. */
export interface PretendBackend {
  readonly backend: Backend
  readonly time: PretendTime
  /** What it does from now on with a question of this token; the control question has none. */
  acts(rule: (token: string) => Act): void
  /** A question of a new viewer. @param token empty = a request without a credential */
  ask(token: string, address: string, more?: Partial<Question>): Promise<Came>
  /** One question after another, so many milliseconds apart; resolves when all are answered. */
  come(count: number, every: number, one: (n: number) => readonly [string, string]): Promise<Came[]>
  /** What was reported of each question, oldest first. */
  readonly outcomes: readonly Outcome[]
  /** Questions that reached it, control questions included. */
  asked(): number
  controls(): number
}

export function createPretendBackend(options: PretendBackendOptions = {}): PretendBackend {
  const { workers = Number.POSITIVE_INFINITY, timeout = 1_000 } = options
  const time = createPretendTime()
  let rule: (token: string) => Act = () => ({ status: 200, took: 10 })
  let asked = 0
  let controls = 0
  let working = 0
  const queue: (() => void)[] = []
  const work = (): void => {
    while (working < workers) {
      const next = queue.shift()
      if (next === undefined) return
      working++
      next()
    }
  }
  /** A worker goes on although nobody waits for it any more, as PHP's do. */
  const serve = (act: Act, answer: (reply: Reply) => void, fail: (error: Error) => void): void => {
    const end = (): void => {
      working--
      work()
    }
    if (act === 'reset') fail(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    if (typeof act === 'string') end()
    else
      time.after(act.took, () => {
        answer({ status: act.status, headers: {} })
        end()
      })
  }
  const client: Client = {
    send(sending: Sending) {
      asked++
      sending.wasSent = true
      const token = /token=([^&]*)/.exec(sending.request.target)?.[1] ?? ''
      if (token === '' && sending.request.headers['X-Real-Ip'] === undefined) controls++
      const reply = new Promise<Reply>((resolve, reject) => {
        queue.push(() => serve(rule(token), resolve, reject))
      })
      work()
      return Promise.race([reply, sending.reply])
    },
    close: () => Promise.resolve(),
  }
  const outcomes: Outcome[] = []
  const backend = createBackend({
    endpoint: readEndpoint('http://pretend/auth'),
    concurrency: options.concurrency ?? 64,
    timeout,
    unavailableStatus: new Set(options.unavailableStatus ?? [502, 503, 504]),
    groupsOf: createAddressGroupsOf(usualPrefixes),
    clock: time.clock,
    onOutcome: (outcome) => void outcomes.push(outcome),
    onInternalError: (error) => {
      throw error
    },
    client,
    after: time.after,
    ...(options.factors === undefined ? {} : { factors: options.factors }),
  })
  let viewers = 0
  const ask: PretendBackend['ask'] = async (token, address, more = {}) => {
    const began = time.clock()
    const uri = `/live/a.m3u8${token === '' ? '' : `?token=${token}`}`
    const request = clientRequest(uri, { address, userAgent: `viewer ${viewers++}` })
    const outcome = await backend.ask(questionAbout(request, { credential: token !== '', ...more }), timeout)
    const what = 'reason' in outcome ? outcome.reason : outcome.kind
    return { what, at: began, took: time.clock() - began }
  }
  return {
    backend,
    time,
    acts(next) {
      rule = next
    },
    ask,
    async come(count, every, one) {
      const all: Promise<Came>[] = []
      for (let n = 0; n < count; n++) {
        all.push(ask(...one(n)))
        await time.pass(every)
      }
      let isOver = false
      const came = Promise.all(all).finally(() => {
        isOver = true
      })
      while (!isOver) await time.pass(10)
      return came
    },
    outcomes,
    asked: () => asked,
    controls: () => controls,
  }
}

/** How many ended in which way. */
export function tally(came: readonly Came[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { what } of came) counts[what] = (counts[what] ?? 0) + 1
  return counts
}

/** The address of another network for each number. */
export function elsewhere(n: number): string {
  return `10.${(n >> 8) & 255}.${n & 255}.1`
}
