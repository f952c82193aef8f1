import assert from 'node:assert/strict'
import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeLevelPlace } from './level-place.ts'

test("LevelDB's own log does not grow without end", async (t) => {
  const { folder, create } = makeLevelPlace(t)
  const store = create()
  t.after(() => store.close())
  await store.open()
  const log = join(folder, 'sessions', 'LOG')
  appendFileSync(log, 'x'.repeat(900_000))
  await store.slice(undefined, 10)
  assert.ok(statSync(log).size > 900_000, 'a small one stays, for somebody to read it')
  appendFileSync(log, 'x'.repeat(900_000))
  await store.slice('x', 10)
  assert.ok(statSync(log).size > 1_800_000, 'only the first slice looks')
  await store.slice(undefined, 10)
  assert.equal(statSync(log).size, 0)
})
