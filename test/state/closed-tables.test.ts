import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClosedTables } from '../../src/state/level/closed-tables.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

test('tables are known as whole once, after a close in order, while they are the same files', async (t) => {
  const folder = join(makeTemporaryFolder(t), 'sessions')
  mkdirSync(folder)
  const [one, two, three] = ['1.ldb', '2.ldb', '3.ldb'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [one, two]) writeFileSync(path, 'a table')
  const tables = createClosedTables(folder)
  assert.deepEqual(await tables.take(), new Set())

  await tables.keep()
  writeFileSync(three, 'a table')
  utimesSync(two, 1, 1)
  assert.deepEqual(await tables.take(), new Set([one]))
  assert.deepEqual(await tables.take(), new Set(), 'the process may crash now')

  await tables.keep()
  const file = join(folder, 'CLOSED')
  writeFileSync(file, readFileSync(file, 'utf8').slice(5))
  assert.deepEqual(await tables.take(), new Set(), 'what cannot be read says nothing')
})
