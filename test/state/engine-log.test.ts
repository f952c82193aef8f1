import assert from 'node:assert/strict'
import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolderPlace } from './folder-place.ts'

test("LevelDB's own log does not grow without end", async (t) => {
  const { folder, create } = makeFolderPlace(t)
  const store = create()
  t.after(() => store.close())
  await store.open()
  const log = join(folder, 'sessions', 'LOG')
  appendFileSync(log, 'x'.repeat(1_900_000))
  await store.open()
  assert.ok(statSync(log).size < 100_000)
})
