import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Changes, createRecentChanges } from '../../src/admin/recent-changes.ts'
import type { Session } from '../../src/session/session.ts'
import type { SessionView } from '../../src/session/session-view.ts'

const session = (id: string): Session => ({ id }) as Session

function startChanges() {
  let now = 0
  const changes = createRecentChanges({
    name: 'north',
    viewOf: ({ id }) => ({ session: id }) as SessionView,
    clock: () => now,
  })
  return {
    ...changes,
    pass(milliseconds: number) {
      now += milliseconds
    },
  }
}

const said = ({ opened, ended, lost }: Changes): string =>
  [...opened.map((one) => `+${one.session}`), ...ended.map((one) => `-${one.session}`), lost ? '?' : '']
    .join(' ')
    .trim()

describe('what has changed in a gate, for the live pages of others', () => {
  test('is told to each who asks since they asked last, each change once', () => {
    const gate = startChanges()
    const first = gate.after('')
    assert.equal(said(first), '?')
    gate.opened(session('a'))
    gate.returned(session('b'), 'adopted')
    gate.returned(session('c'), 'resumed')
    const second = gate.after(first.mark)
    assert.equal(said(second), '+a +b')
    gate.ended(session('a'), 'idle')
    assert.equal(said(gate.after(second.mark)), '-a')
    assert.equal(said(gate.after(gate.after(second.mark).mark)), '')
    // Another one, who has asked at first only.
    assert.equal(said(gate.after(first.mark)), '+b -a')
    assert.deepEqual(gate.after(second.mark).ended, [{ session: 'a', why: 'idle', gate: 'north' }])
  })

  test('a session that has ended and goes on is there', () => {
    const gate = startChanges()
    const { mark } = gate.after('')
    gate.ended(session('a'), 'idle')
    gate.opened(session('a'))
    assert.equal(said(gate.after(mark)), '+a')
  })

  test('is lost when nobody has asked for a while, when it is too much, and for a mark of another process', () => {
    const gate = startChanges()
    const { mark } = gate.after('')
    gate.pass(10_000)
    gate.opened(session('a'))
    const late = gate.after(mark)
    assert.equal(said(late), '?')
    for (let n = 0; n < 1_000; n++) gate.opened(session(`s${n}`))
    assert.equal(gate.after(late.mark).opened.length, 1_000)
    gate.opened(session('one more'))
    assert.equal(said(gate.after(late.mark)), '?')
    for (const odd of ['7.0', '1.99999', 'x', '1.', '-1.0', mark])
      assert.equal(said(gate.after(odd)), '?', odd)
  })
})
