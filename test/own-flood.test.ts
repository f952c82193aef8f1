import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clientRequest,
  createPretendGate,
  deny,
  settled,
  tokens,
  unavailable,
} from './support/pretend-gate.ts'

test('a viewer whose time is over cannot put off its re-check by a flood of questions', async () => {
  const gate = createPretendGate({ questionsPerAddress: 2 })
  gate.answers(tokens('X'))
  await gate.decide(clientRequest('/live/index.m3u8?token=X'))
  // Its share of questions is under way and never answered; re-checks are denied.
  gate.answers(({ query }) => (query === 'token=X' ? deny() : new Promise(() => {})))
  for (const token of ['a', 'b']) void gate.decide(clientRequest(`/live/index.m3u8?token=${token}`))
  assert.equal((await gate.decide(clientRequest('/live/index.m3u8?token=c'))).reason, 'too-many-questions')

  gate.pass(60_000)
  assert.equal((await gate.decide(clientRequest('/live/0.ts'))).verdict, 'allow')
  await settled()
  assert.equal((await gate.decide(clientRequest('/live/1.ts'))).verdict, 'deny')
})

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
