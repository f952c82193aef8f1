import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { type Act, createPretendBackend, elsewhere, type PretendBackend } from '../support/pretend-backend.ts'

const failures: readonly [what: string, evil: Act][] = [
  ['reset', 'reset'],
  ['502, which counts as unavailable', { status: 502, took: 5 }],
]

/** Allows `good`, fails at `evil`, and denies the rest, also the control question. */
function startSite(evil: Act): PretendBackend {
  const pretend = createPretendBackend()
  pretend.acts((token) => (token === 'evil' ? evil : { status: token === 'good' ? 200 : 403, took: 5 }))
  return pretend
}

/** How one question ends. */
async function endOf(
  pretend: PretendBackend,
  token: string,
  address = '192.0.2.1',
  more = {},
): Promise<string> {
  const asking = pretend.ask(token, address, more)
  await pretend.time.pass(3_000)
  return (await asking).what
}

describe('a question that makes a healthy backend fail', () => {
  for (const [what, evil] of failures) {
    test(`by a ${what}: it is asked once more and refused, and the breaker knows nothing of it`, async () => {
      const pretend = startSite(evil)
      for (let n = 0; n < 30; n++)
        assert.equal(await endOf(pretend, 'evil', elsewhere(n)), 'question-refused')
      assert.equal(pretend.backend.state().breaker, 'closed')
      assert.equal(pretend.asked() - pretend.controls(), 60)
      assert.equal(await endOf(pretend, 'good'), 'allow')
    })

    test(`by a ${what}, once: what it answers then counts`, async () => {
      const pretend = startSite(evil)
      let times = 0
      pretend.acts((token) => (token === 'evil' && times++ === 0 ? evil : { status: 200, took: 5 }))
      assert.equal(await endOf(pretend, 'evil'), 'allow')
    })

    test(`by a ${what}, at a re-check or a resume: it stays a failure, which says nothing of the backend`, async () => {
      for (const occasion of ['re-check', 'resume']) {
        const pretend = startSite(evil)
        const seen = await endOf(pretend, 'evil', '192.0.2.1', { occasion, knownViewer: 'one' })
        assert.equal(seen, evil === 'reset' ? 'reset' : 'status')
        assert.deepEqual(
          pretend.outcomes.map((outcome) => 'forOne' in outcome),
          [true],
        )
      }
    })
  }

  test('by silence: it is refused where more of the other networks were answered than failed', async () => {
    const pretend = startSite('silent')
    for (let n = 0; n < 3; n++) await endOf(pretend, 'good', elsewhere(n))
    assert.equal(await endOf(pretend, 'evil'), 'question-refused')
    await pretend.time.pass(10_000)
    assert.equal(await endOf(pretend, 'evil'), 'timeout', 'they were answered too long ago')
  })

  test('by silence, at a re-check: it stays a failure, so that nobody plays for ever behind it', async () => {
    const pretend = startSite('silent')
    const end = pretend.come(30, 100, (n) => ['good', elsewhere(n)])
    const recheck = pretend.ask('evil', '192.0.2.1', { occasion: 're-check', knownViewer: 'one' })
    await end
    assert.equal((await recheck).what, 'timeout')
    assert.ok(pretend.outcomes.some((outcome) => 'forOne' in outcome))
  })

  test('by silence, beside an answer to a request without a token: that says nothing', async () => {
    const pretend = startSite('silent')
    assert.equal(await endOf(pretend, '', '203.0.113.1'), 'deny')
    assert.equal(await endOf(pretend, 'evil'), 'timeout')
  })

  test('by silence, from one network alone: it opens no breaker', async () => {
    const pretend = startSite('silent')
    await pretend.come(100, 50, (n) => ['evil', `192.0.2.${n}`])
    assert.equal(pretend.backend.state().breaker, 'closed')
  })
})

describe('an outage is none of a question', () => {
  for (const [what, evil] of failures)
    test(`everything is answered by a ${what}: unavailable`, async () => {
      const pretend = startSite(evil)
      pretend.acts(() => evil)
      for (const token of ['evil', 'good', 'bad'])
        assert.equal(await endOf(pretend, token), evil === 'reset' ? 'reset' : 'status')
    })

  test('503 for whoever has a token, over a database that is away: unavailable by the second failure', async () => {
    const pretend = startSite('silent')
    await endOf(pretend, 'good', '203.0.113.1')
    pretend.acts((token) => ({ status: token === '' ? 403 : 503, took: 5 }))
    const came: string[] = []
    for (let n = 0; n < 4; n++) came.push(await endOf(pretend, 'good', elsewhere(n)))
    assert.deepEqual(came, ['question-refused', 'status', 'status', 'status'])
  })
})

describe('the control question', () => {
  test('holds nothing of the client', async (t) => {
    const backend = await startBackend(t)
    backend.answer = ({ target }, response) => {
      if (target.includes('token=')) response.socket?.destroy()
      else response.writeHead(403).end()
    }
    const gate = await startGate(t, { BACKEND_URL: `${backend.url}/auth?own=1` })
    assert.equal((await askGate(gate.port, { uri: '/live/a.m3u8?token=evil' })).reason, 'question-refused')
    const [control] = backend.controls
    assert.equal(control?.target, '/auth?own=1')
    assert.deepEqual(control?.headers, {
      host: control?.headers['host'],
      connection: 'keep-alive',
      Accept: '*/*',
      'X-Session-Id': 'alta-auth-control',
      'X-Real-Path': '/',
      'X-Real-Ua': 'alta-auth-control',
    })
  })

  test('is asked once a second at most, and its answer counts for all meanwhile', async () => {
    const pretend = startSite('reset')
    await pretend.come(230, 10, (n) => ['evil', elsewhere(n)])
    assert.equal(pretend.controls(), 3)
    assert.ok(pretend.outcomes.every(({ kind }) => kind === 'refused'))
  })

  test('is asked at half of the time of a silent question, and never later than its end', async () => {
    const pretend = startSite('silent')
    void pretend.ask('evil', '192.0.2.1')
    await pretend.time.pass(499)
    assert.equal(pretend.controls(), 0)
    await pretend.time.pass(1)
    assert.equal(pretend.controls(), 1)
  })

  test('is never a verdict: it is allowed, and the question stays refused', async () => {
    const pretend = startSite('reset')
    pretend.acts((token) => (token === '' ? { status: 200, took: 5 } : 'reset'))
    assert.equal(await endOf(pretend, 'evil'), 'question-refused')
  })

  test('keeps within the deadline of the question', async () => {
    const pretend = startSite('reset')
    pretend.acts((token) => (token === '' ? 'silent' : 'reset'))
    const asking = pretend.ask('evil', '192.0.2.1')
    await pretend.time.pass(1_000)
    assert.deepEqual(await asking, { what: 'reset', at: 0, took: 1_000 })
  })
})
