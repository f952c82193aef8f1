import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clientRequest, createPretendGate, deny, settled, tokens } from '../support/pretend-gate.ts'

/** Milliseconds on the pretend clock. */
const FOR_EVER = 600_000

const PLAYLIST = '/live/one/index.m3u8?token=good'

describe('a backend that changes its mind', () => {
  for (const [what, chance, latest] of [
    ['least', 0, 54_000],
    ['no', 0.5, 60_000],
    ['most', 1, 66_000],
  ] as const) {
    test(`with ${what} jitter the re-check is the first segment after ${latest / 1_000} s, and the next one is refused`, async () => {
      const gate = createPretendGate({ random: () => chance })
      gate.answers(tokens('good'))
      await gate.decide(clientRequest(PLAYLIST))
      gate.answers(deny)
      const segment = clientRequest('/live/one/0.ts')
      let lastAllowed = 0
      for (;;) {
        assert.ok(gate.now() < FOR_EVER, 'never cut')
        gate.pass(4_000)
        const { verdict } = await gate.decide(segment)
        await settled()
        if (verdict === 'deny') break
        lastAllowed = gate.now()
      }
      assert.equal(lastAllowed, Math.ceil(latest / 4_000) * 4_000)
      assert.equal(gate.asked.length, 3, 'the opening, the re-check, the segment without a session')
    })
  }

  test('a hundred playlists opened with the token give no further segment', async () => {
    const gate = createPretendGate()
    gate.answers(tokens('good'))
    for (let n = 0; n < 100; n++) await gate.decide(clientRequest(`/live/one/${n}.m3u8?token=good`))
    gate.answers(deny)
    let lastAllowed = 0
    while (lastAllowed === gate.now()) {
      assert.ok(lastAllowed < FOR_EVER, 'never cut')
      gate.pass(4_000)
      const { verdict } = await gate.decide(clientRequest('/live/one/0.ts'))
      await settled()
      if (verdict === 'allow') lastAllowed = gate.now()
    }
    assert.equal(lastAllowed, 60_000)
  })

  // Two boxes of the same model behind one address are one viewer to the gate.
  for (const [what, late] of [
    ['due in the same moment', 0],
    ['due a second earlier', -1_000],
    ['due a second later', 1_000],
  ] as const) {
    test(`another channel of the viewer, with a token that is still good and ${what}, plays on`, async () => {
      const gate = createPretendGate()
      gate.answers(tokens('good', 'better'))
      const openings = [
        { at: 1_000, target: PLAYLIST },
        { at: 1_000 + late, target: '/live/two/index.m3u8?token=better' },
      ].sort((a, b) => a.at - b.at)
      for (const { at, target } of openings) {
        gate.pass(at - gate.now())
        await gate.decide(clientRequest(target))
      }
      gate.answers(tokens('better'))
      gate.pass(63_000 - gate.now())
      await gate.decide(clientRequest('/live/one/0.ts'))
      await settled()
      assert.equal((await gate.decide(clientRequest('/live/one/1.ts'))).verdict, 'deny')
      for (let n = 0; n < 3; n++) {
        assert.equal((await gate.decide(clientRequest(`/live/two/${n}.ts`))).verdict, 'allow')
        await settled()
        gate.pass(4_000)
      }
    })
  }
})
