import type { Subrequest } from '../subrequest.ts'
import type { Grant, Outcome } from '../verdict.ts'
import { startDeadline } from './deadline.ts'
import type { Endpoint } from './endpoint.ts'
import { failureReason } from './failure-reason.ts'
import { createQuestion } from './question.ts'
import { headerOf, type Reply, type Sender } from './send.ts'

export interface AskBackendOptions {
  readonly endpoint: Endpoint
  readonly sender: Sender
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** Our own code threw: whoever keeps the log is told. */
  readonly onInternalError: (error: unknown) => void
}

/**
 * Asks one backend one question. `budget` is the overall deadline in milliseconds: connecting, headers and all. `giveUp` ends the
 * question early, when another backend has decided. Never rejects.
 */
export type AskBackend = (
  subrequest: Subrequest,
  sessionId: string,
  budget: number,
  giveUp?: AbortSignal,
) => Promise<Outcome>

export function createAskBackend(options: AskBackendOptions): AskBackend {
  const { endpoint, sender, unavailableStatus } = options
  const backend = endpoint.name

  const judge = (reply: Reply): Outcome => {
    if (unavailableStatus.has(reply.status)) return { kind: 'unavailable', backend, reason: 'status' }
    if (reply.status !== 200) return { kind: 'deny', backend, status: reply.status }
    return { kind: 'allow', backend, grant: readGrant(reply) }
  }

  const judgeFailure = (error: unknown): Outcome => {
    const reason = failureReason(error)
    if (reason === 'internal') options.onInternalError(error)
    return { kind: 'unavailable', backend, reason }
  }

  return (subrequest, sessionId, budget, giveUp) =>
    new Promise<Outcome>((resolve) => {
      const abort = new AbortController()
      const stop = (): void => {
        resolve(timeout(backend))
        abort.abort()
      }
      const callOff = startDeadline(Math.max(0, budget), stop)
      giveUp?.addEventListener('abort', stop, { once: true })

      const settle = (outcome: Outcome): void => {
        callOff()
        giveUp?.removeEventListener('abort', stop)
        resolve(outcome)
      }
      try {
        const question = createQuestion(endpoint, subrequest, sessionId)
        sender.send(question, abort.signal).then(
          (reply) => settle(judge(reply)),
          (error: unknown) => (abort.signal.aborted ? settle(timeout(backend)) : settle(judgeFailure(error))),
        )
      } catch (error) {
        settle(judgeFailure(error))
      }
    })
}

function timeout(backend: string): Outcome {
  return { kind: 'unavailable', backend, reason: 'timeout' }
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
