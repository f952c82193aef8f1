import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLevelPlace } from './level-place.ts'
import { makeRecord, makeWrite } from './records.ts'

test('a second store in a folder says so, and leaves the first one as it is', async (t) => {
  const place = makeLevelPlace(t)
  const [first, second] = [place.create(), place.create()]
  t.after(() => first.close())
  t.after(() => second.close())
  await first.open()
  await first.write([makeWrite()])
  await assert.rejects(second.open(), { name: 'StoreError', trouble: 'in-use', message: /another process/ })
  await assert.rejects(second.write([makeWrite()]), { trouble: 'in-use' })
  await second.close()
  await first.write([makeWrite({ id: 'b' })])
  assert.equal((await first.recall(makeRecord().viewer)).length, 2)
  await first.close()
  assert.equal(await second.open(), undefined)
  assert.equal((await second.recall(makeRecord().viewer)).length, 2)
})
