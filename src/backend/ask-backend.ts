import type { AddressGroups } from '../address.ts'
import { createRequest, readGrant } from '../client/alta-contract.ts'
import { AbandonedError, type Client, failureReason, type Reply, Sending } from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { Question } from '../subrequest.ts'
import type { Outcome, UnavailableReason } from '../verdict.ts'
import type { Control, NetworkOutcomes } from './evidence.ts'
import { startTimer } from './timer.ts'

export interface AskBackendOptions {
  readonly endpoint: Endpoint
  readonly client: Client
  readonly control: Control
  readonly networks: Pick<NetworkOutcomes, 'others'>
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** BACKEND_TIMEOUT, in milliseconds. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Our own code threw. */
  readonly onInternalError: (error: unknown) => void
}

/** The result of one question to one backend. */
export interface Asked {
  readonly outcome: Outcome
  /** The question itself may have caused the failure: nothing else shows that the backend is unavailable. */
  readonly isUnconfirmed: boolean
}

/**
 * Asks one backend one question; never rejects. `budget` is the overall deadline in milliseconds, connecting
 * included. `onOver` is called once, when the backend can no longer be working on the question: at its
 * answer, in time or late (`isAnswered`), or after twice BACKEND_TIMEOUT.
 */
export type AskBackend = (
  question: Question,
  groups: AddressGroups,
  budget: number,
  onOver: (isAnswered: boolean) => void,
) => Promise<Asked>

/** Failures that the content of a question can cause in a healthy backend. */
const provocable: ReadonlySet<UnavailableReason> = new Set(['reset', 'closed', 'not-http', 'status'])

/** A web server answers this when its script resets, closes or sends garbage (RFC 9110 section 15.6.3). */
const BAD_GATEWAY = 502

/** Asks once, and once more after a failure that the question itself may have caused. */
export function createAskBackend(options: AskBackendOptions): AskBackend {
  const { endpoint, client, control, networks, unavailableStatus, timeout, clock } = options
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
   * Whether the question caused its failure, which came twice while the control question was answered. A
   * broken connection: yes, since an outage does not break one question and answer another. A status may also
   * come from a script whose database fails at every token. Then the outcomes of other networks decide.
   */
  const isItsOwn = (isBroken: boolean, network: string): boolean => {
    const { answered, failed } = networks.others(network)
    return isBroken || failed === 0 || answered > failed
  }

  /**
   * The result when the question caused its failure. A re-check keeps the failure, so that no playing viewer
   * is cut off.
   */
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
      /** A control question was answered while this one failed or was silent. */
      let isAlive = false

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
        isAlive = await control.isAlive(left())
        if (!isAlive || isSettled) return { outcome: first, isUnconfirmed: false }
        const again = await send()
        if (!isProvocable(again)) return { outcome: again, isUnconfirmed: false }
        const isBroken = status === 0 || status === BAD_GATEWAY
        return isItsOwn(isBroken, groups.network)
          ? refusedFor(again, question)
          : { outcome: again, isUnconfirmed: true }
      }

      /** No answer in time. The outcomes of other networks show whether the question caused it. */
      const giveUp = (): void => {
        const silence = failure ?? unavailable('timeout')
        const { answered, failed } = networks.others(groups.network)
        if (isAlive && answered > failed) settle(refusedFor(silence, question))
        else settle({ outcome: silence, isUnconfirmed: isAlive })
      }

      const over = ({ outcome: { kind } }: Asked): void => {
        clearTimeout(overdue)
        onOver(kind === 'allow' || kind === 'deny')
      }
      let overdue: NodeJS.Timeout | undefined
      let callOff = startTimer(Math.max(0, budget / 2), () => {
        void control.isAlive(left()).then((answered) => {
          isAlive ||= answered
        })
        callOff = startTimer(Math.max(0, left()), () => {
          giveUp()
          // A question that was not sent ends now. One that was sent may still be at work in the backend.
          if (sending?.wasSent !== true) sending?.abandon()
          else overdue = setTimeout(() => sending?.abandon(), 2 * timeout - budget).unref()
        })
      })
      void ask().then((asked) => {
        settle(asked)
        over(asked)
      })
    })

  function isProvocable(outcome: Outcome): boolean {
    return outcome.kind === 'unavailable' && provocable.has(outcome.reason)
  }
}
