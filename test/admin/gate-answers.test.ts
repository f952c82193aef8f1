import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGateAnswers } from '../../src/admin/gate-answers.ts'
import type { SessionFilter } from '../../src/admin/sessions-desk.ts'
import { createFindHeld } from '../../src/explain/find-held.ts'
import { NO_ANSWER, type Parameters } from '../../src/fleet/answer-asks.ts'
import { clientRequest, createPretendGate } from '../support/pretend-gate.ts'

function startAnswers() {
  const meant: (SessionFilter | string)[] = []
  const answers = createGateAnswers({
    gate: 'own',
    desk: {
      slice(filter, limit, after) {
        meant.push(filter, `${limit} ${after}`)
        return { sessions: [], more: false, total: 0 }
      },
      find: (id) => void meant.push(id),
      refusedUsers: () => [],
      closing: {
        async held(id) {
          meant.push(id)
          return undefined
        },
        async here(filter, before) {
          meant.push(filter, String(before))
          return { closed: 1 }
        },
      },
    },
    changes: {
      after(mark) {
        meant.push(mark)
        return { mark, lost: false, opened: [], ended: [] }
      },
    },
    findHeld: () => ({ session: null, own: false }),
  })
  return { answers, meant }
}

describe('what another gate asks', () => {
  test('a filter that is not understood as a whole closes and lists nobody', async () => {
    const { answers, meant } = startAnswers()
    const odd: Parameters[] = [
      {},
      { filter: null },
      { filter: 'all' },
      { filter: [{}] },
      { filter: { user: 7 } },
      { filter: { user: 'anna', colour: 'red' } },
      { filter: { users: ['anna'] } },
    ]
    for (const parameters of odd) {
      assert.equal(await answers['close-matching'].answer({ ...parameters, before: 9 }), NO_ANSWER)
      assert.equal(await answers.sessions.answer({ ...parameters, limit: 9 }), NO_ANSWER)
    }
    assert.deepEqual(meant, [])
    await answers['close-matching'].answer({ filter: { user: 'anna' }, before: 9, reason: 'new' })
    await answers['close-matching'].answer({ filter: {} })
    assert.deepEqual(meant, [{ user: 'anna' }, '9', {}, '0'])
  })

  test('a page is never larger than one of the API', () => {
    for (const [limit, most] of [
      [1e9, 1_000],
      [-5, 1],
      [Number.NaN, 1],
      ['x', 1],
    ]) {
      const { answers, meant } = startAnswers()
      answers.sessions.answer({ filter: {}, limit })
      assert.equal(meant[1], `${most} null`)
    }
  })

  test('each gate takes its own mark out of those of all', () => {
    const { answers, meant } = startAnswers()
    answers.changes.answer({ marks: { other: '7.7', own: '1.2' } })
    answers.changes.answer({ marks: { other: '7.7' } })
    assert.deepEqual(meant, ['1.2', ''])
  })
})

describe('the look at what a gate holds of a request', () => {
  test('finds its own session and one that it rides on, and changes nothing', async () => {
    const gate = createPretendGate()
    await gate.decide(clientRequest('/live/one/index.m3u8?token=X'))
    const [session] = [...gate.sessions.all()]
    const before = JSON.stringify({ seen: session?.lastSeen, requests: session?.requests })
    const findHeld = createFindHeld({ ...gate, clock: gate.now }, () => '')
    gate.pass(5_000)
    const own = findHeld(clientRequest('/live/one/index.m3u8?token=X'))
    assert.deepEqual([own.session?.session, own.own], [session?.id, true])
    const riding = findHeld(clientRequest('/live/one/1.ts'))
    assert.deepEqual([riding.session?.session, riding.own], [session?.id, false])
    assert.equal(findHeld(clientRequest('/live/two/1.ts')).session, null)
    assert.equal(findHeld(clientRequest('/live/one/1.ts', { address: '192.0.2.9' })).session, null)
    for (const odd of [undefined, null, 'x', {}, { ...clientRequest('/a'), path: 7 }])
      assert.equal(findHeld(odd).session, null)
    assert.equal(JSON.stringify({ seen: session?.lastSeen, requests: session?.requests }), before)
  })
})
