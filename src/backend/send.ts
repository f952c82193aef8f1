import { createClient } from './client.ts'
import type { Endpoint } from './endpoint.ts'
import type { Question } from './question.ts'

/** The head of a backend's HTTP answer; header names in lower case. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The header of this name, in lower case; the first where there are several. */
export function headerOf({ headers }: Reply, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

export interface Sender {
  /** Sends one question and resolves at the head of the answer. Rejects when there is none, or when `signal` aborts. */
  send(question: Question, signal: AbortSignal): Promise<Reply>
  close(): Promise<void>
}

/** `concurrency` is the number of questions under way at most, `deadline` what one may take, in milliseconds. */
export function createSender(endpoint: Endpoint, concurrency: number, deadline: number): Sender {
  const { client, close } = createClient(endpoint, concurrency, deadline)
  return {
    async send(question, signal) {
      const response = await client.get(question.target, { headers: question.headers, signal })
      return { status: response.status, headers: response.headers as Reply['headers'] }
    },
    close,
  }
}
