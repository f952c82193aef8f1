import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clientRequest,
  createPretendGate,
  deny,
  settled,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'

test('questions that fail now and then do not keep sessions of an outage from being re-checked', async () => {
  const gate = createPretendGate({ defaultAction: 'allow', lifetimes: { default: 60_000 } })
  gate.answers(unavailable)
  await gate.decide(clientRequest('/live/index.m3u8?token=bad'))
  gate.answers(({ query }) => (query.startsWith('token=fails') ? unavailable() : deny()))
  let letIn = 0
  for (let step = 0; step < 25; step++) {
    gate.pass(200)
    await gate.decide(
      clientRequest(`/other/${step}.ts?token=${step % 2 === 0 ? 'fails' : 'answers'}`, {
        address: '192.0.2.9',
      }),
    )
    if ((await gate.decide(clientRequest('/live/0.ts'))).verdict === 'allow') letIn = gate.now()
    await settled()
  }
  assert.ok(letIn < 4_000, `let in until ${letIn} ms after the backend came back`)
})

test('a re-check that finds no place stays due, ends nothing, and is tried again with the next request', async () => {
  const gate = createPretendGate()
  gate.answers(tokens('X'))
  await gate.decide(clientRequest('/live/index.m3u8?token=X'))
  gate.pass(70_000)
  gate.answers(() => ({ kind: 'refused', backend: 'pretend', reason: 'too-many-questions' }))
  for (let n = 1; n <= 3; n++) {
    const { verdict, source } = await gate.decide(clientRequest(`/live/${n}.ts`))
    assert.deepEqual([verdict, source], ['allow', 'session'])
    await settled()
    assert.equal(gate.asked.length, 1 + n)
  }
  gate.answers(deny)
  await gate.decide(clientRequest('/live/4.ts'))
  await settled()
  assert.equal((await gate.decide(clientRequest('/live/5.ts'))).verdict, 'deny')
})

test('a refused question says nothing of an outage, and is remembered only where it cost the backend something', async () => {
  const gate = createPretendGate({ defaultAction: 'allow' })
  for (const [reason, questions] of [
    ['too-many-questions', 2],
    ['question-refused', 1],
  ] as const) {
    gate.answers(() => ({ kind: 'refused', backend: 'pretend', reason }))
    const before = gate.asked.length
    for (let n = 0; n < 2; n++) {
      const decision = await gate.decide(clientRequest(`/live/index.m3u8?token=${reason}`))
      assert.deepEqual([decision.verdict, decision.source, decision.reason], ['deny', 'gate', reason])
      assert.equal(decision.cacheable, reason === 'question-refused')
    }
    assert.equal(gate.asked.length - before, questions)
    gate.pass(2_000)
    gate.answers(tokens(reason))
    const later = await gate.decide(clientRequest(`/live/index.m3u8?token=${reason}`))
    assert.equal(later.reason, 'backend-200')
  }
})

test('a viewer whom a backend has allowed something is known, with other questions too; a stranger is not', async () => {
  const gate = createPretendGate({ defaultAction: 'allow' })
  gate.answers(tokens('X'))
  await gate.decide(clientRequest('/live/one/index.m3u8?token=X'))
  await gate.decide(clientRequest('/live/two/index.m3u8?token=X'))
  await gate.decide(clientRequest('/live/one/index.m3u8?token=X', { userAgent: 'other' }))
  gate.answers(() => ({ kind: 'unavailable', backend: 'pretend', reason: 'timeout' }))
  const provisional = { address: '198.51.100.1' }
  await gate.decide(clientRequest('/live/one/index.m3u8?token=bad', provisional))
  await gate.decide(clientRequest('/live/two/index.m3u8?token=bad', provisional))
  const known = gate.asked.map(({ knownViewer }) => knownViewer !== undefined)
  assert.deepEqual(known, [false, true, false, false, false])
})
