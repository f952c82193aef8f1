import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeAlong } from '../../../src/state/take-along.ts'
import { makeLevelPlace } from '../level-place.ts'
import { makeWrite } from '../records.ts'
import { makeValkeyPlace } from './valkey-place.ts'

test('the sessions of a folder are taken along with their ages, once, and what has ended since stays out', async (t) => {
  const level = makeLevelPlace(t)
  const from = level.create()
  t.after(() => from.close())
  await from.open()
  const began = from.now()
  const session = (id: string, seen: number) => {
    const [openedAt, lastSeen] = [began + seen - 5_000, began + seen]
    return makeWrite(
      { id, openedAt, lastSeen, activeAt: lastSeen, dueAt: lastSeen + 9_000 },
      lastSeen + 90_000,
    )
  }
  await from.write([session('plays', 0), session('silent', -30_000), session('ended', 0)])
  await from.mark({ filter: { user: 'otto' }, at: began - 1_000, until: began + 60_000 })
  const place = await makeValkeyPlace(t)
  const to = await place.open({}, { configuration: 'one' })
  const { viewer } = makeWrite().record
  await to.remove([{ viewer, id: 'ended', end: { why: 'closed' } }])

  assert.deepEqual(await takeAlong(from, to), { sessions: 2 })
  const shift = to.now() - from.now()
  const records = [...(await to.recall(viewer))].sort((a, b) => (a.id < b.id ? -1 : 1))
  assert.deepEqual(
    records.map(({ id }) => id),
    ['plays', 'silent'],
  )
  for (const [at, seen] of [0, -30_000].entries()) {
    const { openedAt = 0, lastSeen = 0, dueAt } = records[at] ?? {}
    assert.ok(Math.abs(lastSeen - (began + seen + shift)) < 2_000, `${lastSeen}`)
    assert.deepEqual([lastSeen - openedAt, (dueAt ?? 0) - lastSeen], [5_000, 9_000])
  }
  assert.deepEqual(
    (await to.marks()).map(({ filter }) => filter),
    [{ user: 'otto' }],
  )
  assert.deepEqual(await takeAlong(from, to), { sessions: 0 })
})
