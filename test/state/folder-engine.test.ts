import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadLevel } from '../../src/state/folder/level.ts'
import { changeOf, describeEngine } from './conformance.ts'
import { makeFolderPlace } from './folder-place.ts'

describeEngine('a store in a folder', {
  async place(scope) {
    const place = makeFolderPlace(scope)
    return {
      async open() {
        const engine = place.create()
        scope.after(() => engine.close())
        await engine.open()
        return engine
      },
      pass: async (milliseconds) => place.pass(milliseconds),
    }
  },
})

test('changes of many viewers are one call to read and one to write: a crowd does not wait for its turn', async (t) => {
  let calls = 0
  const store = makeFolderPlace(t).create({
    load: async (location) => {
      const engine = await loadLevel(location)
      const counted = <Result>(result: Promise<Result>): Promise<Result> => {
        calls++
        return result
      }
      return {
        ...engine,
        getMany: (keys) => counted(engine.getMany(keys)),
        batch: (steps, sync) => counted(engine.batch(steps, sync)),
      }
    },
  })
  t.after(() => store.close())
  await store.open()
  const viewers = Array.from({ length: 250 }, (_, n) => `viewer-${n}`)
  calls = 0
  await store.write(viewers.map((viewer) => changeOf(viewer, 'one')))
  assert.equal(calls, 2)
  await store.end(
    viewers.map((viewer) => ({ viewer, id: 'one', value: Buffer.from('end'), keepFor: 60_000 })),
  )
  assert.equal(calls, 4)
})
