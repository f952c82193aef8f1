import { type Client, type HttpRequest, type Reply, Sending } from '../client/client.ts'

/**
 * Asks the backend a control question, which holds nothing of a client. If it is answered while a client's
 * question fails, that question itself may be the cause, and there is no outage.
 */
export interface Control {
  /** Whether the backend answers; false if that is not known after `patience` milliseconds. Never rejects. */
  isAlive(patience: number): Promise<boolean>
}

export interface ControlOptions {
  readonly request: HttpRequest
  readonly client: Client
  /** Statuses that count as no answer. */
  readonly unavailableStatus: ReadonlySet<number>
  /** What the control question may take, in milliseconds. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Whether to ask nothing, because the breaker is open: then all questions fail. */
  readonly isOff: () => boolean
}

/**
 * Least milliseconds between two control questions of a backend. Until the next one the answer is valid for
 * all.
 */
const EVERY = 1_000

/** The status is never a verdict: any status but those of UNAVAILABLE_STATUS counts as an answer. */
export function createControl(options: ControlOptions): Control {
  const { request, client, unavailableStatus, timeout, clock, isOff } = options
  let askedAt = Number.NEGATIVE_INFINITY
  let isUnderWay = false
  let answer: Promise<boolean> = Promise.resolve(false)

  const ask = async (): Promise<boolean> => {
    const sending = new Sending(request)
    const deadline = setTimeout(() => sending.abandon(), timeout)
    isUnderWay = true
    try {
      const { status }: Reply = await client.send(sending)
      return !unavailableStatus.has(status)
    } catch {
      // The reason does not matter: the client's question that failed before has its own.
      return false
    } finally {
      clearTimeout(deadline)
      isUnderWay = false
    }
  }

  return {
    isAlive(patience) {
      if (patience <= 0 || isOff()) return Promise.resolve(false)
      if (!isUnderWay && clock() - askedAt >= EVERY) {
        askedAt = clock()
        answer = ask()
      }
      return within(answer, patience)
    },
  }
}

function within(answer: Promise<boolean>, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patience)
    void answer.then((isAlive) => {
      clearTimeout(timer)
      resolve(isAlive)
    })
  })
}

/**
 * The last outcome of each client network. It shows whether a failure is the backend's or that of one
 * question.
 */
export interface NetworkOutcomes {
  /** Whether a question of this network was answered. */
  note(network: string, answered: boolean): void
  /** In the last ten seconds: how many other networks were answered last, and how many failed last. */
  others(network: string): { readonly answered: number; readonly failed: number }
}

/** How long an outcome counts, in milliseconds. */
const WINDOW = 10_000
/** The most recent networks that are remembered. */
const MAX_NETWORKS = 64

/** @param clock monotonic milliseconds */
export function createNetworkOutcomes(clock: () => number): NetworkOutcomes {
  /** The most recent one is last. */
  const outcomes = new Map<string, { readonly at: number; readonly answered: boolean }>()
  return {
    note(network, answered) {
      outcomes.delete(network)
      outcomes.set(network, { at: clock(), answered })
      const [oldest] = outcomes.keys()
      if (outcomes.size > MAX_NETWORKS && oldest !== undefined) outcomes.delete(oldest)
    },
    others(network) {
      const since = clock() - WINDOW
      let answered = 0
      let failed = 0
      for (const [other, outcome] of outcomes) {
        if (other === network || outcome.at < since) continue
        if (outcome.answered) answered++
        else failed++
      }
      return { answered, failed }
    },
  }
}
