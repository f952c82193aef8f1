import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeOf } from './conformance.ts'
import { makeFolderPlace } from './folder-place.ts'

test('a second store in a folder says so, and leaves the first one as it is', async (t) => {
  const place = makeFolderPlace(t)
  const [first, second] = [place.create(), place.create()]
  t.after(() => first.close())
  t.after(() => second.close())
  await first.open()
  await first.write([changeOf('viewer', 'a')])
  await assert.rejects(second.open(), { name: 'StoreError', trouble: 'in-use', message: /another process/ })
  await assert.rejects(second.write([changeOf('viewer', 'b')]), { trouble: 'in-use' })
  await second.close()
  await first.write([changeOf('viewer', 'b')])
  assert.equal((await first.list('viewer')).length, 2)
  await first.close()
  assert.equal(await second.open(), undefined)
  assert.equal((await second.list('viewer')).length, 2)
})
