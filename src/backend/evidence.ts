import { type Client, type HttpRequest, type Reply, Sending } from './client.ts'

/** Asks the backend something that no client has a hand in, to tell an outage from what a client's question provokes. */
export interface Control {
  /** Whether the backend answers, as far as it is known within so many milliseconds. Never rejects. */
  isAlive(patience: number): Promise<boolean>
  /** Whether the control question that counted at this time, or a later one, has been answered by now. Monotonic milliseconds. */
  hasAnsweredSince(time: number): boolean
}

export interface ControlOptions {
  readonly request: HttpRequest
  readonly client: Client
  /** Statuses that count as no answer. */
  readonly unavailableStatus: ReadonlySet<number>
  /** Milliseconds. */
  readonly timeout: number
  readonly clock: () => number
  /** An open breaker: what fails now fails for everybody. */
  readonly isOff: () => boolean
}

/** A backend is asked no oftener, and the answer counts for everybody meanwhile; milliseconds. */
const EVERY = 1_000

/** Its status is never a verdict: any but those of UNAVAILABLE_STATUS is a sign of life. */
export function createControl(options: ControlOptions): Control {
  const { request, client, unavailableStatus, timeout, clock, isOff } = options
  let askedAt = Number.NEGATIVE_INFINITY
  let isUnderWay = false
  let isAnswered = false
  let answer: Promise<boolean> = Promise.resolve(false)

  const ask = async (): Promise<boolean> => {
    const sending = new Sending(request)
    const deadline = setTimeout(() => sending.abandon(), timeout)
    isUnderWay = true
    isAnswered = false
    try {
      const { status }: Reply = await client.send(sending)
      isAnswered = !unavailableStatus.has(status)
    } catch {
      // Why it failed does not matter: the question that failed before has a reason of its own.
    }
    clearTimeout(deadline)
    isUnderWay = false
    return isAnswered
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
    hasAnsweredSince: (time) => isAnswered && askedAt >= time - EVERY,
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

/** What questions of other networks have met lately: whether a failure is the backend's, or of the question that met it. */
export interface Witnesses {
  /** What a question of this network has come to. */
  note(network: string, answered: boolean): void
  /** How many other networks were answered last, and how many failed last. */
  others(network: string): { readonly answered: number; readonly failed: number }
}

/** Milliseconds. */
const LATELY = 10_000
/** Of so many networks the last word is known. */
const MAX_NETWORKS = 64

/** @param clock monotonic milliseconds */
export function createWitnesses(clock: () => number): Witnesses {
  /** The one heard of last stands last. */
  const words = new Map<string, { readonly at: number; readonly answered: boolean }>()
  return {
    note(network, answered) {
      words.delete(network)
      words.set(network, { at: clock(), answered })
      const [oldest] = words.keys()
      if (words.size > MAX_NETWORKS && oldest !== undefined) words.delete(oldest)
    },
    others(network) {
      const since = clock() - LATELY
      let answered = 0
      let failed = 0
      for (const [other, word] of words) {
        if (other === network || word.at < since) continue
        if (word.answered) answered++
        else failed++
      }
      return { answered, failed }
    },
  }
}
