import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../test/support/free-port.ts'
import { getVerdict } from '../test/support/http-get.ts'
import type { Scope } from '../test/support/scope.ts'
import { GOOD_TOKEN, playlist } from './audience.ts'
import { median } from './median.ts'
import type { Progress } from './progress.ts'
import { gateEnvironment, gateProgram } from './start-gate.ts'

const STARTS = 10
/** Milliseconds between two attempts. */
const TRY_EVERY = 2
const PATIENCE = 10_000

/** Seconds that measuring takes, for the plan. */
export const startSeconds = STARTS * 0.6

/** Milliseconds from the start of the process to its first answer about an unknown viewer; median. */
export async function measureStart(scope: Scope, backend: number, progress: Progress): Promise<number> {
  progress.begin(`from process start to first answer, ${STARTS} times`)
  const times: number[] = []
  for (let start = 0; start < STARTS; start++) times.push(await startOnce(scope, backend))
  const middle = median(times)
  progress.done(`${Math.round(middle)} ms`, startSeconds)
  return middle
}

async function startOnce(scope: Scope, backend: number): Promise<number> {
  const port = await findFreePort()
  const env = gateEnvironment({ name: 'start', folder: '', backend, listens: port })
  const began = performance.now()
  const child = spawn(process.execPath, [gateProgram], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    stdio: 'ignore',
    detached: true,
  })
  const exited = once(child, 'exit')
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  }
  scope.after(end)
  for (;;) {
    const uri = playlist(0, GOOD_TOKEN)
    const answer = await getVerdict({ port }, { uri }).catch(() => undefined)
    const took = performance.now() - began
    if (answer?.status === 200) {
      await end()
      return took
    }
    if (child.exitCode !== null || took > PATIENCE)
      throw new Error('the gate gives no answer after its start')
    await delay(TRY_EVERY)
  }
}
