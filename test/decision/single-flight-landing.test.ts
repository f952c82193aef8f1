import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Outcome } from '../../src/verdict.ts'
import { allow, clientRequest, createPretendGate, deny, unavailable } from '../support/pretend-gate.ts'

const outcomes: readonly [string, Outcome][] = [
  ['allow', allow()],
  ['deny', deny()],
  ['unavailable', unavailable()],
]

describe('there is no gap between a question and the memory of its verdict', () => {
  for (const [what, outcome] of outcomes) {
    test(`whoever comes at any moment while ${what} lands does not ask again`, async () => {
      const gate = createPretendGate()
      let answer: (outcome: Outcome) => void = () => {}
      gate.answers(
        () =>
          new Promise((resolve) => {
            answer = resolve
          }),
      )
      const viewer = clientRequest('/live/ch1/index.m3u8?token=X')
      const leader = gate.decide(viewer)
      let hasLanded = false
      void leader.then(() => {
        hasLanded = true
      })
      await setImmediate()
      answer(outcome)

      const followers = [gate.decide(viewer)]
      // Between all steps of the landing, then between turns of the event loop.
      for (let step = 0; step < 100; step++) {
        await undefined
        followers.push(gate.decide(viewer))
      }
      for (let turn = 0; turn < 100 && !hasLanded; turn++) {
        await setImmediate()
        followers.push(gate.decide(viewer))
      }
      assert.ok(hasLanded, 'the question has its verdict')
      followers.push(gate.decide(viewer))

      const { sessionId, verdict } = await leader
      for (const follower of await Promise.all(followers)) {
        assert.deepEqual([follower.sessionId, follower.verdict], [sessionId, verdict])
      }
      assert.equal(gate.asked.length, 1)
    })
  }
})
