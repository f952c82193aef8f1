import { createControlRequest } from '../client/alta-contract.ts'
import { type Client, Sending } from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { After } from '../timer.ts'

/**
 * Asks the backend a control question, which holds nothing of a client. If it is answered while a client's
 * question fails, that question itself may be the cause, and there is no outage.
 */
export interface ControlQuestion {
  /** Whether it is answered within `patience` milliseconds, by no failure. Never rejects. */
  isAnswered(patience: number, isFailure: (status: number) => boolean): Promise<boolean>
}

interface ControlQuestionOptions {
  readonly endpoint: Endpoint
  readonly client: Client
  /** What the control question may take, in milliseconds. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly after: After
}

/** Least milliseconds between two control questions. Until the next one the answer is valid for all. */
const EVERY = 1_000

export function createControlQuestion(options: ControlQuestionOptions): ControlQuestion {
  const { endpoint, client, timeout, clock, after } = options
  const request = createControlRequest(endpoint)
  let askedAt = Number.NEGATIVE_INFINITY
  let isUnderWay = false
  let answer: Promise<number | undefined> = Promise.resolve(undefined)

  /** The status; undefined without an answer: the client's question that failed before has its own reason. */
  const ask = async (): Promise<number | undefined> => {
    const sending = new Sending(request)
    const callOff = after(timeout, () => sending.abandon())
    isUnderWay = true
    try {
      return (await client.send(sending)).status
    } catch {
      return undefined
    } finally {
      callOff()
      isUnderWay = false
    }
  }

  const within = <Result>(result: Promise<Result>, patience: number): Promise<Result | undefined> =>
    new Promise((resolve) => {
      const callOff = after(patience, () => resolve(undefined))
      void result.then((value) => {
        callOff()
        resolve(value)
      })
    })

  return {
    async isAnswered(patience, isFailure) {
      if (patience <= 0) return false
      if (!isUnderWay && clock() - askedAt >= EVERY) {
        askedAt = clock()
        answer = ask()
      }
      const status = await within(answer, patience)
      return status !== undefined && !isFailure(status)
    },
  }
}
