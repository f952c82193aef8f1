import type { ServerResponse } from 'node:http'
import { type Backend, status } from './backend.ts'

export interface HeldAnswers {
  /** Questions that wait for their answers, oldest first. */
  readonly held: readonly ServerResponse[]
  /** Answers all questions that wait, and later ones at once. */
  release(code?: number): void
}

/** From now on the backend holds its answers back. */
export function holdAnswers(backend: Backend): HeldAnswers {
  const held: ServerResponse[] = []
  backend.answer = (_asked, response) => void held.push(response)
  return {
    held,
    release(code = 200) {
      backend.answer = status(code)
      for (const response of held.splice(0)) response.writeHead(code).end()
    },
  }
}
