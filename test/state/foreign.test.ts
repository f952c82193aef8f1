import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolderPlace } from './folder-place.ts'

test('a file in the place of the folder is left as it is', async (t) => {
  const { folder, create } = makeFolderPlace(t)
  writeFileSync(folder, 'mine')
  await assert.rejects(create().open(), {
    name: 'StoreError',
    trouble: 'foreign',
    message: /choose a folder/,
  })
  assert.equal(readFileSync(folder, 'utf8'), 'mine')
})

test('a folder that holds something else is left as it is, also a LevelDB of somebody else', async (t) => {
  for (const name of ['family.jpg', 'CURRENT', '.hidden', 'lost+found']) {
    const { folder, create } = makeFolderPlace(t)
    mkdirSync(folder, { mode: 0o700 })
    writeFileSync(join(folder, name), 'mine')
    await assert.rejects(create().open(), { trouble: 'foreign', message: new RegExp(name.replace('+', '.')) })
    assert.deepEqual(readdirSync(folder), [name])
    assert.equal(readFileSync(join(folder, name), 'utf8'), 'mine')
  }
})

test('a file in the place of one of its folders is left as it is', async (t) => {
  for (const name of ['sessions', 'damaged']) {
    const { folder, create } = makeFolderPlace(t)
    mkdirSync(folder, { mode: 0o700 })
    writeFileSync(join(folder, name), 'mine', { mode: 0o600 })
    await assert.rejects(create().open(), { trouble: 'foreign' })
    assert.equal(readFileSync(join(folder, name), 'utf8'), 'mine')
  }
})
