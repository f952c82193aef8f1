import { setTimeout as delay } from 'node:timers/promises'
import { type Backend, startBackend } from './backend.ts'
import { type Gate, startGate } from './gate.ts'
import { holdAnswers } from './hold-answers.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

/** A gate whose backend holds its answers back until the test gives them. */
export interface Holding {
  readonly backend: Backend
  readonly gate: Gate
  /** Waits for so many questions, answers them, and answers later ones at once. */
  release(questions: number, code: number): Promise<void>
}

/** BACKEND_TIMEOUT is 5s unless given. */
export async function startHolding(
  scope: Scope,
  environment: Readonly<Record<string, string>> = {},
): Promise<Holding> {
  const backend = await startBackend(scope)
  const { held, release } = holdAnswers(backend)
  const gate = await startGate(scope, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '5s', ...environment })
  return {
    backend,
    gate,
    async release(questions, code) {
      await until('the questions', () => held.length >= questions)
      release(code)
    },
  }
}

/** Waits until the gate has so many subrequests, each on a connection of its own. */
export async function untilAsking(gate: Gate, count: number): Promise<void> {
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => {
      gate.service.gateServer.getConnections((error, open) => (error ? reject(error) : resolve(open)))
    })
  await until('the subrequests to arrive', async () => (await connections()) >= count)
  await delay(50)
}
