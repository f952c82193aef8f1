import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDamagedTable } from '../../src/state/folder/table-checksums.ts'
import { changeOf } from './conformance.ts'
import { makeFolderPlace } from './folder-place.ts'
import { withLevel } from './open-level.ts'

test('any changed bit in the blocks of a table is damage, a missing end is none', async (t) => {
  const place = makeFolderPlace(t)
  const store = place.create()
  await store.open()
  // Enough for two blocks.
  await store.write(
    Array.from({ length: 20 }, (_, n) => changeOf(`${n}`, `${n}`, { value: Buffer.alloc(300, n) })),
  )
  await store.drop([{ viewer: '7', id: '7' }])
  await store.close()
  await withLevel(place, (level) => level.compactRange('', '~'))
  const sessions = join(place.folder, 'sessions')
  const names = readdirSync(sessions).filter((name) => name.endsWith('.ldb'))
  assert.ok(names.length > 0)
  for (const name of names) {
    const table = readFileSync(join(sessions, name))
    assert.ok(!isDamagedTable(table), name)
    // The padding of the footer is not read.
    const readEnd = table.length - 48
    for (let at = 0; at < readEnd; at += 1) {
      const bit = 1 << (at % 8)
      table.writeUInt8(table.readUInt8(at) ^ bit, at)
      assert.ok(isDamagedTable(table), `${name}, byte ${at}`)
      table.writeUInt8(table.readUInt8(at) ^ bit, at)
    }
    assert.ok(!isDamagedTable(table), name)
    for (let length = 0; length < table.length; length += 7)
      assert.ok(!isDamagedTable(table.subarray(0, length)), `unfinished at ${length} bytes`)
  }
})
