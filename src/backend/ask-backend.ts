import type { AddressGroups } from '../address.ts'
import { createRequest, readGrant } from '../client/alta-contract.ts'
import { AbandonedError, type Client, failureReason, Sending } from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { Question } from '../subrequest.ts'
import type { After } from '../timer.ts'
import { type Outcome, outageStatuses, type Unavailable, type UnavailableReason } from '../verdict.ts'
import type { ControlQuestion } from './control-question.ts'
import type { NetworkOutcomes } from './network-outcomes.ts'

export interface AskBackendOptions {
  readonly endpoint: Endpoint
  readonly client: Client
  readonly control: ControlQuestion
  readonly networks: Pick<NetworkOutcomes, 'mostAreAnswered'>
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** BACKEND_TIMEOUT, in milliseconds. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly after: After
  /** Our own code threw. */
  readonly onInternalError: (error: unknown) => void
}

/** The result of one question to one backend. */
export interface Asked {
  readonly outcome: Outcome
  /** The control question was answered while this one failed: the question itself may be the cause. */
  readonly isAlive: boolean
  /** Whether it shows how the backend is: not where a session alone met a failure, or a status not listed. */
  readonly isEvidence: boolean
}

/**
 * Asks one backend one question; never rejects. `budget` is the overall deadline in milliseconds, connecting
 * included. `onOver` is called once, when the backend can no longer be working on the question: at its
 * answer, in time or late, or after twice BACKEND_TIMEOUT.
 */
type AskBackend = (
  question: Question,
  groups: AddressGroups,
  budget: number,
  onOver: (last: Outcome) => void,
) => Promise<Asked>

/** Failures that the content of a question can cause in a healthy backend. */
const provocable: ReadonlySet<UnavailableReason> = new Set(['reset', 'closed', 'not-http', 'status'])

/** A web server answers this when its script resets, closes or sends garbage (RFC 9110 section 15.6.3). */
const BAD_GATEWAY = 502

/** Asks once, and once more after a failure that the question itself may have caused. */
export function createAskBackend(options: AskBackendOptions): AskBackend {
  const { endpoint, client, control, networks, unavailableStatus, timeout, clock, after } = options
  const backend = endpoint.name
  const unavailable = (reason: UnavailableReason): Unavailable => ({ kind: 'unavailable', backend, reason })

  return (question, { network }, budget, onOver) =>
    new Promise<Asked>((resolve) => {
      const isOfSession = question.occasion !== 'question'
      /** Who plays by a backend's allow plays on while a web server answers in the place of a dead script. */
      const isOutage = (status: number): boolean =>
        unavailableStatus.has(status) ||
        (isOfSession && question.knownViewer !== undefined && outageStatuses.has(status))

      const began = clock()
      const left = (): number => budget - (clock() - began)
      let sending: Sending | undefined
      let failure = unavailable('timeout')
      /** The status of the last answer; 0 = none. */
      let status = 0
      let isSettled = false
      /** A control question was answered. */
      let isAlive = false
      const isUnlisted = (): boolean => failure.reason === 'status' && !unavailableStatus.has(status)

      const settle = (outcome: Outcome): void => {
        if (isSettled) return
        isSettled = true
        callOff()
        const isFailure = outcome.kind === 'unavailable'
        resolve({ outcome, isAlive, isEvidence: !isFailure || !(outcome.forOne || isUnlisted()) })
      }

      const send = async (): Promise<Outcome> => {
        status = 0
        try {
          sending = new Sending(createRequest(endpoint, question.subrequest, question.sessionId))
          const reply = await client.send(sending)
          status = reply.status
          if (isOutage(status)) return unavailable('status')
          if (status !== 200) return { kind: 'deny', backend, status }
          return { kind: 'allow', backend, grant: readGrant(reply) }
        } catch (error) {
          if (error instanceof AbandonedError) return unavailable('timeout')
          const reason = failureReason(error)
          if (reason === 'internal' && !isSettled) options.onInternalError(error)
          return unavailable(reason)
        }
      }

      const ask = async (): Promise<Outcome> => {
        const first = await send()
        if (!isProvocable(first)) return first
        failure = first
        isAlive = await control.isAnswered(left(), isOutage)
        if (!isAlive || isSettled) return first
        const again = await send()
        if (!isProvocable(again)) return again
        failure = again
        return blame(status === 0 || status === BAD_GATEWAY)
      }

      /**
       * Whose failure it is. The question's, where the control question was answered and the connection broke
       * twice, or most other networks are answered. Nobody who plays is cut off for it.
       */
      const blame = (isBroken: boolean): Outcome => {
        const isOwn = isAlive && (isBroken || isUnlisted() || networks.mostAreAnswered(network))
        if (!isOwn) return failure
        return isOfSession
          ? { ...failure, forOne: true }
          : { kind: 'refused', backend, reason: 'question-refused' }
      }

      let forget = (): void => {}
      let callOff = after(Math.max(0, budget / 2), () => {
        void control.isAnswered(left(), isOutage).then((answered) => {
          isAlive ||= answered
        })
        callOff = after(Math.max(0, left()), () => {
          settle(blame(false))
          // A question that was not sent ends now. One that was sent may still be at work in the backend.
          if (sending?.wasSent !== true) sending?.abandon()
          else forget = after(2 * timeout - budget, () => sending?.abandon())
        })
      })
      void ask().then((outcome) => {
        settle(outcome)
        forget()
        onOver(outcome)
      })
    })
}

function isProvocable(outcome: Outcome): outcome is Unavailable {
  return outcome.kind === 'unavailable' && provocable.has(outcome.reason)
}
