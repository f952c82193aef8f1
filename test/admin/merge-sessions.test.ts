import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mergeSessions, readSlice } from '../../src/admin/merge-sessions.ts'
import type { PlacedSession, SessionSlice } from '../../src/admin/sessions-desk.ts'
import type { SessionView } from '../../src/session/session-view.ts'
import { createChance } from '../support/create-chance.ts'

function placed(id: string, openedAt: number, lastRequest: number, gate = 'north'): PlacedSession {
  const time = new Date(Date.UTC(2026, 10, 28) + lastRequest).toISOString()
  const view = { session: id, gate, lastRequest: time } as SessionView
  return { openedAt, id, view }
}

/** What a gate with these sessions answers. */
function sliceOf(
  sessions: readonly PlacedSession[],
  limit: number,
  after = Number.POSITIVE_INFINITY,
): SessionSlice {
  const all = sessions.filter(({ openedAt }) => openedAt < after).sort((a, b) => b.openedAt - a.openedAt)
  return { sessions: all.slice(0, limit), more: all.length > limit, total: sessions.length }
}

describe('pages of several gates', () => {
  test('a session whose viewer has moved is listed once, at the gate that saw it last', () => {
    const slices = [
      sliceOf([placed('moved', 5, 10, 'north'), placed('other', 4, 99, 'north')], 10),
      sliceOf([placed('moved', 5, 20, 'south')], 10),
    ]
    for (const order of [slices, slices.toReversed()]) {
      const { sessions, total, next } = mergeSessions(order, 10)
      assert.deepEqual(
        sessions.map(({ session, gate }) => `${session} at ${gate}`),
        ['moved at south', 'other at north'],
      )
      assert.deepEqual([total, next], [2, null])
    }
  })

  test('hold each session once and in order, however they lie', () => {
    const chance = createChance(7)
    for (let round = 0; round < 200; round++) {
      const gates: PlacedSession[][] = [[], [], []]
      const count = Math.floor(chance() * 40)
      for (let n = 0; n < count; n++) gates[Math.floor(chance() * 3)]?.push(placed(`id-${n}`, n * 3 - 50, n))
      const limit = 1 + Math.floor(chance() * 9)
      const seen: string[] = []
      for (let after: string | null = ''; after !== null; ) {
        const from = after === '' ? undefined : Number(after.split('.')[0])
        const page = mergeSessions(
          gates.map((one) => sliceOf(one, limit, from)),
          limit,
        )
        assert.ok(page.sessions.length <= limit && page.total === count)
        seen.push(...page.sessions.map(({ session }) => session))
        after = page.next
      }
      assert.deepEqual(
        seen,
        Array.from({ length: count }, (_, n) => `id-${count - 1 - n}`),
      )
    }
  })

  test('what another release answers counts as far as it is understood', () => {
    for (const odd of [null, 7, 'x', [], {}, { sessions: 'x', total: '9', more: 1 }])
      assert.deepEqual(readSlice(odd), { sessions: [], more: false, total: 0 })
    const whole = placed('id', 1, 2)
    const later = { ...whole.view, colour: 'red' }
    const { sessions } = readSlice({
      sessions: [{ ...whole, view: later }, { id: 3 }, { id: 'x', view: {} }],
    })
    assert.deepEqual(sessions, [{ ...whole, view: later }])
  })
})
