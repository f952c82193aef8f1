import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBreaker } from '../../src/backend/breaker.ts'
import type { Decision, Verdict } from '../../src/verdict.ts'
import { createChance } from '../support/create-chance.ts'
import { allow, clientRequest, createPretendGate, deny, settled } from '../support/pretend-gate.ts'

const SECOND = 1_000
const STEP = 50
const RUNS = 15

interface Viewer {
  readonly address: string
  readonly token: 'good' | 'bad'
  next: number
}

const isReal = ({ verdict, source }: Decision, { token }: Viewer): boolean =>
  verdict === (token === 'good' ? 'allow' : 'deny') && source !== 'default' && source !== 'stale'

/**
 * Milliseconds after the return of the backend in which a viewer still got something other than its verdict.
 */
async function lastWrongVerdict(defaultAction: Verdict, viewers: number, seed: number): Promise<number> {
  const random = createChance(seed)
  const gate = createPretendGate({ defaultAction, random })
  const breaker = createBreaker({ clock: gate.now, random })
  const back = gate.now() + 30 * SECOND + Math.floor(random() * 4 * SECOND)
  let opened = false
  gate.answers(({ address, query }) => {
    const without = { kind: 'unavailable', backend: 'pretend' } as const
    if (!breaker.admits(address)) return { ...without, reason: 'breaker' }
    if (gate.now() < back) {
      breaker.failed(address)
      opened ||= breaker.state().kind === 'open'
      return { ...without, reason: 'refused' }
    }
    breaker.succeeded()
    return query === 'token=good' ? allow() : deny()
  })

  const audience = Array.from(
    { length: viewers },
    (_, n): Viewer => ({
      address: `192.0.2.${n}`,
      token: n % 2 === 0 ? 'bad' : 'good',
      next: gate.now() + random() * SECOND,
    }),
  )
  let last = back
  while (gate.now() < back + 10 * SECOND) {
    gate.pass(STEP)
    for (const viewer of audience.filter(({ next }) => next <= gate.now())) {
      viewer.next += SECOND
      const { address, token } = viewer
      const decision = await gate.decide(clientRequest(`/live/one/index.m3u8?token=${token}`, { address }))
      await settled()
      if (gate.now() >= back && !isReal(decision, viewer)) last = gate.now()
    }
  }
  assert.ok(opened, 'the breaker never opened: this shows nothing')
  return last - back
}

describe('after an outage that opened the breaker, real verdicts count within five seconds', () => {
  for (const defaultAction of ['allow', 'deny'] as const) {
    for (const viewers of [3, 4, 20]) {
      test(`default ${defaultAction}, ${viewers} viewers who ask once a second`, async () => {
        for (let run = 1; run <= RUNS; run++) {
          const took = await lastWrongVerdict(defaultAction, viewers, run * 7919)
          assert.ok(took < 5 * SECOND, `run ${run}: ${took} ms`)
        }
      })
    }
  }
})
