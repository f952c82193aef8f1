import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Environment } from '../../src/config/read-settings.ts'
import type { Question } from '../../src/subrequest.ts'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { createPretendBackend } from '../support/pretend-backend.ts'
import { startWatchedGate, type WatchedGate } from '../support/readiness.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

const outages = [502, 503, 504]

describe('UNAVAILABLE_STATUS is empty: 502, 503 and 504', () => {
  const known: Partial<Question> = { knownViewer: 'one' }
  /** What comes of a question, and what it says of the backend. */
  const judge = async (code: number, control: number, more: Partial<Question>) => {
    const pretend = createPretendBackend({ unavailableStatus: [] })
    pretend.acts((token) => ({ status: token === '' ? control : code, took: 5 }))
    const asking = pretend.ask('token', '192.0.2.1', more)
    await pretend.time.pass(1_000)
    const { what } = await asking
    const [outcome] = pretend.outcomes
    const forOne = outcome?.kind === 'unavailable' && outcome.forOne === true
    return `${what}${forOne ? ' for one' : ''}`
  }

  for (const code of outages) {
    test(`${code} is an outage for who plays, and for who goes on`, async () => {
      for (const occasion of ['re-check', 'resume'] as const)
        assert.equal(await judge(code, code, { occasion, ...known }), 'status')
    })

    test(`${code} where the control question is answered is theirs alone`, async () => {
      for (const occasion of ['re-check', 'resume'] as const)
        assert.equal(await judge(code, 403, { occasion, ...known }), 'status for one')
    })

    test(`${code} denies new viewers, known ones that open another channel, and whom the default action let in`, async () => {
      for (const more of [{}, known, { occasion: 're-check' as const }])
        assert.equal(await judge(code, code, more), 'deny')
    })
  }

  test('no other status is one', async () => {
    for (const code of [401, 403, 404, 429, 500, 501, 505])
      assert.equal(await judge(code, code, { occasion: 're-check', ...known }), 'deny')
  })

  test('none of it says anything to the breaker: it neither opens nor closes it', async () => {
    const pretend = createPretendBackend({ unavailableStatus: [] })
    const recheck = { occasion: 're-check' as const, ...known }
    const asks = async (count: number, more: Partial<Question>): Promise<void> => {
      for (let n = 0; n < count; n++) void pretend.ask('token', `10.0.${n}.1`, more)
      await pretend.time.pass(3_000)
    }
    pretend.acts(() => ({ status: 503, took: 5 }))
    await asks(50, recheck)
    assert.equal(pretend.backend.state().breaker, 'closed')
    pretend.acts(() => 'silent')
    await asks(20, {})
    assert.equal(pretend.backend.state().breaker, 'open')
    pretend.acts(() => ({ status: 503, took: 5 }))
    await asks(1, recheck)
    assert.equal(pretend.backend.state().breaker, 'open')
  })
})

interface Site {
  readonly backend: Backend
  readonly gate: WatchedGate
  segment(): Promise<GateAnswer>
}

/** Somebody plays, and is asked about again and again. */
async function startPlaying(scope: Scope, more: Environment = {}): Promise<Site> {
  const backend = await startBackend(scope)
  const gate = await startWatchedGate(scope, { BACKEND_URL: backend.url, ALLOW_TTL: '200ms', ...more })
  assert.equal((await askGate(gate.port, { uri: '/live/index.m3u8?token=1' })).reason, 'backend-200')
  let segments = 0
  return { backend, gate, segment: () => askGate(gate.port, { uri: `/live/${segments++}.ts` }) }
}

const isStale = ({ source }: GateAnswer): boolean => source === 'stale'

describe('a viewer who plays, before a web server with a dead script', () => {
  for (const code of outages)
    test(`${code}: plays on, /readyz says unavailable, and newcomers are denied by the status`, async (t) => {
      const { backend, gate, segment } = await startPlaying(t)
      backend.answer = status(code)
      await until('a re-check', async () => isStale(await segment()))
      assert.equal((await segment()).reason, 'unavailable-status')
      const newcomer = { uri: '/live/index.m3u8?token=2', userAgent: 'newcomer' }
      assert.equal((await askGate(gate.port, newcomer)).reason, `backend-${code}`)
      const { state, breaker } = await gate.backend()
      assert.deepEqual({ state, breaker }, { state: 'unavailable', breaker: 'closed' })
      assert.equal((await segment()).status, 200)

      backend.answer = status(200)
      await until('the end of the outage', async () => !isStale(await segment()), 10_000)
    })

  test('plays on for STALE_TTL after the last allow, and no longer, however often the script answers 503', async (t) => {
    const { backend, segment } = await startPlaying(t, { STALE_TTL: '1s' })
    const began = performance.now()
    backend.answer = status(503)
    await until('the end', async () => (await segment()).status === 403, 10_000)
    assert.ok(performance.now() - began > 1_000)
  })

  for (const code of [401, 403, 404])
    test(`is cut by the first ${code}, during such an outage, too`, async (t) => {
      const { backend, segment } = await startPlaying(t)
      backend.answer = status(503)
      await until('a re-check', async () => isStale(await segment()))
      let asked = 0
      backend.answer = (_asked, response) => {
        asked++
        response.writeHead(code).end()
      }
      await until('the cut', async () => (await segment()).status === 403, 10_000)
      assert.ok(asked <= 2, `${asked} questions`)
    })
})

test('a script that answers 503 about one viewer: they play on, and the backend is not unavailable', async (t) => {
  const { backend, gate, segment } = await startPlaying(t)
  backend.answer = ({ target }, response) => response.writeHead(target.includes('token=1') ? 503 : 403).end()
  await until('a re-check', async () => isStale(await segment()))
  assert.equal((await gate.backend()).state, 'answers')
  assert.equal(gate.logText().includes('backend unavailable'), false)
})
