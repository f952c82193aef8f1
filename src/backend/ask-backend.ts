import type { AddressGroups } from '../address.ts'
import type { Question } from '../subrequest.ts'
import type { Grant, Outcome, UnavailableReason } from '../verdict.ts'
import { createRequest } from './alta-contract.ts'
import { AbandonedError, type Client, failureReason, headerOf, type Reply, Sending } from './client.ts'
import { startDeadline } from './deadline.ts'
import type { Endpoint } from './endpoint.ts'
import type { Control, Witnesses } from './evidence.ts'

export interface AskBackendOptions {
  readonly endpoint: Endpoint
  readonly client: Client
  readonly control: Control
  readonly witnesses: Pick<Witnesses, 'others'>
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Our own code threw: whoever keeps the log is told. */
  readonly onInternalError: (error: unknown) => void
}

/** What came of one question to one backend. */
export interface Asked {
  readonly outcome: Outcome
  /** A failure that the question itself may have provoked, while nothing else shows that the backend is away. */
  readonly isUnconfirmed: boolean
}

/**
 * Asks one backend one question. `budget` is the overall deadline in milliseconds: connecting, headers and all. `onOver` is told once,
 * when the backend can be at work on it no more: at its answer, or after twice the deadline. Never rejects.
 */
export type AskBackend = (
  question: Question,
  groups: AddressGroups,
  budget: number,
  onOver: () => void,
) => Promise<Asked>

/** What a question can provoke by what it holds, in a backend that is well. */
const provocable: ReadonlySet<UnavailableReason> = new Set(['reset', 'closed', 'not-http', 'status'])

/** What a web server answers whose script resets, closes or speaks garbage (RFC 9110 section 15.6.3). */
const BAD_GATEWAY = 502

export function createAskBackend(options: AskBackendOptions): AskBackend {
  const { endpoint, client, control, witnesses, unavailableStatus, clock } = options
  const backend = endpoint.name
  const unavailable = (reason: UnavailableReason): Outcome => ({ kind: 'unavailable', backend, reason })

  const judge = (reply: Reply): Outcome => {
    if (unavailableStatus.has(reply.status)) return unavailable('status')
    if (reply.status !== 200) return { kind: 'deny', backend, status: reply.status }
    return { kind: 'allow', backend, grant: readGrant(reply) }
  }

  const judgeFailure = (error: unknown): Outcome => {
    if (error instanceof AbandonedError) return unavailable('timeout')
    const reason = failureReason(error)
    if (reason === 'internal') options.onInternalError(error)
    return unavailable(reason)
  }

  /**
   * Whether a failure that came twice, beside an answered control question, is the question's own. Where the connection broke, it is: no
   * outage breaks one question and answers another. A status may be what a script says of its database when it has a token to look up,
   * so there the word of others counts.
   */
  const isItsOwn = (isBroken: boolean, network: string): boolean => {
    const { answered, failed } = witnesses.others(network)
    return isBroken || failed === 0 || answered > failed
  }

  /** The failure is the question's own. A playing viewer is not cut for it: of a re-check it says nothing. */
  const refusedFor = (failure: Outcome, { occasion }: Question): Asked => ({
    outcome: occasion === 're-check' ? failure : { kind: 'refused', backend, reason: 'question-refused' },
    isUnconfirmed: true,
  })

  return (question, groups, budget, onOver) =>
    new Promise<Asked>((resolve) => {
      const began = clock()
      let sending: Sending | undefined
      let failure: Outcome | undefined
      let status = 0
      let isSettled = false

      const settle = (asked: Asked): void => {
        if (isSettled) return
        isSettled = true
        callOff()
        resolve(asked)
      }
      const left = (): number => budget - (clock() - began)

      const send = async (): Promise<Outcome> => {
        try {
          sending = new Sending(createRequest(endpoint, question.subrequest, question.sessionId))
          const reply = await client.send(sending)
          status = reply.status
          return judge(reply)
        } catch (error) {
          return isSettled ? unavailable('timeout') : judgeFailure(error)
        }
      }

      const ask = async (): Promise<Asked> => {
        const first = await send()
        if (!isProvocable(first)) return { outcome: first, isUnconfirmed: false }
        failure = first
        const isAlive = await control.isAlive(left())
        if (!isAlive || isSettled) return { outcome: first, isUnconfirmed: false }
        const again = await send()
        if (!isProvocable(again)) return { outcome: again, isUnconfirmed: false }
        const isBroken = status === 0 || status === BAD_GATEWAY
        return isItsOwn(isBroken, groups.network)
          ? refusedFor(again, question)
          : { outcome: again, isUnconfirmed: true }
      }

      /** No answer in time. Whose fault it is, only others can tell. */
      const giveUp = (): void => {
        const silence = failure ?? unavailable('timeout')
        const isAlive = control.hasAnsweredSince(began)
        const { answered, failed } = witnesses.others(groups.network)
        if (isAlive && answered > failed) settle(refusedFor(silence, question))
        else settle({ outcome: silence, isUnconfirmed: isAlive })
      }

      const over = (): void => {
        clearTimeout(overdue)
        onOver()
      }
      let overdue: NodeJS.Timeout | undefined
      let callOff = startDeadline(Math.max(0, budget / 2), () => {
        void control.isAlive(left())
        callOff = startDeadline(Math.max(0, left()), () => {
          giveUp()
          // Nothing reached the backend: it cannot be at work. Else it works on, whatever we think of it.
          if (sending?.wasSent !== true) sending?.abandon()
          else overdue = setTimeout(() => sending?.abandon(), budget).unref()
        })
      })
      void ask().then((asked) => {
        settle(asked)
        over()
      })
    })

  function isProvocable(outcome: Outcome): boolean {
    return outcome.kind === 'unavailable' && provocable.has(outcome.reason)
  }
}

function readGrant(reply: Reply): Grant {
  const authDuration = headerOf(reply, 'x-authduration')
  const userId = headerOf(reply, 'x-userid') ?? headerOf(reply, 'x-session-name')
  return {
    ...(authDuration === undefined ? {} : { authDuration }),
    ...(userId === undefined ? {} : { userId: printable(userId) }),
  }
}

/** nginx treats a header it cannot take as a failed gate: at most 128 printable bytes go back to it. */
function printable(text: string): string {
  return text.slice(0, 128).replace(/[^\x21-\x7e]/g, '_')
}
