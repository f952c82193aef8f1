import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate, type GateQuestion } from '../../support/ask-gate.ts'
import { startBackend } from '../../support/backend.ts'
import { findFreePort } from '../../support/free-port.ts'
import { type Main, mainFile, startMain } from '../../support/main-process.ts'
import { patientTest } from '../../support/patient-test.ts'
import { forSuite, type Scope } from '../../support/scope.ts'
import { hasToken } from '../../support/token-backend.ts'
import { until } from '../../support/until.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Milliseconds that a busy machine may add. */
const MARGIN = 1_500

/**
 * Loaded before the program. Each SIGUSR2 moves its wall clock by the next of these milliseconds, and prints
 * that.
 */
const movedClock = (steps: readonly number[]): string => `
  const steps = ${JSON.stringify(steps)}
  const Real = Date
  let moved = 0
  globalThis.Date = class extends Real {
    constructor(...values) { if (values.length === 0) super(Real.now() + moved); else super(...values) }
    static now() { return Real.now() + moved }
  }
  process.on('SIGUSR2', () => { moved += steps.shift(); process.stderr.write('moved\\n') })
`

describe('a wall clock that is moved', () => {
  const backend = forSuite((scope) => startBackend(scope))

  const steps = { '+1 h': HOUR, '−1 h': -HOUR, '+1 day': DAY, '−1 day': -DAY, 'another −1 day': -DAY }

  interface Moving {
    readonly port: number
    readonly main: Main
    move(): Promise<void>
  }
  const start = async (scope: Scope, more = {}): Promise<Moving> => {
    backend.answer = hasToken('good')
    const port = await findFreePort()
    const preload = `data:text/javascript,${encodeURIComponent(movedClock(Object.values(steps)))}`
    const main = startMain(
      scope,
      { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: `127.0.0.1:${port}`, ...more },
      { command: [process.execPath, '--import', preload, mainFile] },
    )
    await main.listening()
    let moves = 0
    return {
      port,
      main,
      async move() {
        moves++
        main.signal('SIGUSR2')
        await until('the clock to move', () => main.stderr().split('moved').length > moves)
      },
    }
  }
  const viewer = (number: number, token: string): GateQuestion => ({
    uri: `/live/index.m3u8?token=${token}`,
    userAgent: `viewer-${number}`,
    address: `192.0.2.${number}`,
  })

  patientTest('expires nobody', async (t) => {
    const { port, main, move } = await start(t, { DENY_TTL: '1m' })
    const viewers = Array.from({ length: 20 }, (_, number) => viewer(number, number % 2 ? 'good' : 'bad'))
    const askAll = () => Promise.all(viewers.map((one) => askGate(port, one)))
    const first = await askAll()
    const asked = backend.asked.length
    for (const step of Object.keys(steps)) {
      await move()
      const again = await askAll()
      assert.deepEqual(
        again.map(({ status, sessionId }) => [status, sessionId]),
        first.map(({ status, sessionId }) => [status, sessionId]),
        step,
      )
      assert.equal(backend.asked.length, asked, step)
    }
    await askGate(port, viewer(99, 'good'))
    const times = (): number[] =>
      [...main.stdout().matchAll(/"time":"([^"]+)"/g)].map(([, time]) => Date.parse(time ?? ''))
    await until('a line of the log that shows the moved clock', () =>
      times().some((time) => time < Date.now() - DAY / 2),
    )
  })

  for (const [count, step] of Object.keys(steps).entries()) {
    patientTest(`${step}: nothing known lives longer than its time`, async (t) => {
      const { port, move } = await start(t, { ALLOW_TTL: '300ms', DENY_TTL: '300ms', SESSION_IDLE: '1s' })
      for (let before = 0; before < count; before++) await move()
      const [allowed, denied] = [viewer(1, 'good'), viewer(2, 'bad')]
      const { sessionId } = await askGate(port, allowed)
      await askGate(port, denied)
      await move()
      await delay(400)

      const asked = backend.asked.length
      assert.equal((await askGate(port, denied)).source, 'backend')
      assert.equal((await askGate(port, allowed)).sessionId, sessionId)
      await until('the deny and the allow to be asked about again', () => backend.asked.length === asked + 2)

      await delay(1_200)
      const late = await askGate(port, allowed)
      assert.equal(late.source, 'backend', 'silence has ended the session')
      assert.notEqual(late.sessionId, sessionId)
    })
  }

  patientTest('neither shortens nor lengthens the time of a question', async (t) => {
    const { port, move } = await start(t, { BACKEND_TIMEOUT: '500ms' })
    backend.answer = () => {}
    for (const [count, step] of Object.keys(steps).entries()) {
      const asked = backend.asked.length
      const question = askGate(port, viewer(count, 'good'))
      await until('the question', () => backend.asked.length > asked)
      await move()
      const { reason, took } = await question
      assert.equal(reason, 'unavailable-timeout', step)
      assert.ok(took > 450 && took < 500 + MARGIN, `${step}: ${took} ms`)
    }
  })
})
