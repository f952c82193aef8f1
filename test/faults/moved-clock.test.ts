import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { forSuite } from '../support/scope.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000

describe("the machine's wall clock is moved by a day", () => {
  const backend = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    backend.answer = hasToken('good')
    return backend
  })

  for (const moved of [DAY, -DAY]) {
    test(`${moved > 0 ? 'forward' : 'back'}: nobody is expired, and no question ends early or late`, async (t) => {
      const gate = await startGate(t, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '1s', DENY_TTL: '1m' })
      const answers = (): Promise<readonly (readonly unknown[])[]> =>
        Promise.all(
          ['good', 'bad'].map(async (token) => {
            const { status, sessionId } = await askGate(gate.port, { uri: `/live/a.m3u8?token=${token}` })
            return [status, sessionId]
          }),
        )
      const first = await answers()
      const { answer } = backend
      backend.answer = () => {}
      const asked = backend.asked.length
      const silent = askGate(gate.port, { userAgent: 'of a silent backend' })
      await until('the question', () => backend.asked.length > asked)
      moveClock(t, moved)
      assert.deepEqual(await answers(), first)
      assert.equal(backend.asked.length, asked + 1)
      const { reason, took } = await silent
      assert.equal(reason, 'unavailable-timeout')
      assert.ok(took > 950 && took < 10_000, `${took} ms`)
      backend.answer = answer
      const moment = Date.parse(String(gate.log.at(-1)?.['time']))
      assert.ok(Math.abs(moment - Date.now()) < DAY / 2, 'the log shows the moved clock')
    })

    test(`${moved > 0 ? 'forward' : 'back'}: nothing known lives longer than its time`, async (t) => {
      const gate = await startGate(t, { BACKEND_URL: backend.url, ALLOW_TTL: '200ms', DENY_TTL: '200ms' })
      const ask = (token: string) => askGate(gate.port, { uri: `/live/a.m3u8?token=${token}` })
      for (const token of ['good', 'bad']) await ask(token)
      moveClock(t, moved)
      await delay(300)
      const asked = backend.asked.length
      assert.equal((await ask('bad')).source, 'backend')
      await ask('good')
      await until('the deny and the allow to be asked about again', () => backend.asked.length === asked + 2)
    })
  }
})

/** Moves what `Date` tells, by so many milliseconds, until the test ends. */
function moveClock(t: { after(end: () => void): void }, moved: number): void {
  const Real = Date
  globalThis.Date = class extends Real {
    constructor(...values: unknown[]) {
      if (values.length === 0) super(Real.now() + moved)
      else super(...(values as [number]))
    }
    static override now(): number {
      return Real.now() + moved
    }
  } as DateConstructor
  t.after(() => {
    globalThis.Date = Real
  })
}
