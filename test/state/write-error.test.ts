import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadLevel } from '../../src/state/folder/level.ts'
import type { StoreTrouble } from '../../src/state/store-engine.ts'
import { changeOf } from './conformance.ts'
import { makeFolderPlace } from './folder-place.ts'

const errors: Readonly<Record<string, StoreTrouble>> = {
  'IO error: 000003.log: No space left on device': 'full',
  'IO error: 000003.log: Disk quota exceeded': 'full',
  'IO error: 000005.ldb: Permission denied': 'rights',
  'IO error: 000005.ldb: Too many open files': 'failed',
  'IO error: MANIFEST-000002: Read-only file system': 'failed',
}

for (const [text, trouble] of Object.entries(errors))
  test(`${text}: after it nothing is written until the store was opened again`, async (t) => {
    // LevelDB would write on behind a torn part of its log, and lose that when it is read.
    let fails = false
    let batches = 0
    const store = makeFolderPlace(t).create({
      load: async (location) => {
        const engine = await loadLevel(location)
        const batch: typeof engine.batch = async (steps, sync) => {
          batches += 1
          if (fails) throw new Error(text)
          await engine.batch(steps, sync)
        }
        return { ...engine, batch }
      },
    })
    t.after(() => store.close())
    await store.open()
    await store.write([changeOf('viewer', 'before')])
    fails = true
    await assert.rejects(store.write([changeOf('viewer', 'lost')]), { name: 'StoreError', trouble })
    fails = false
    await assert.rejects(store.write([changeOf('viewer', 'lost')]), { trouble })
    await assert.rejects(store.list('viewer'), { trouble })
    assert.equal(batches, 2)
    assert.equal(await store.open(), undefined)
    await store.write([changeOf('viewer', 'after')])
    const ids = (await store.list('viewer')).map(({ id }) => id)
    assert.deepEqual(ids.sort(), ['after', 'before'])
  })
