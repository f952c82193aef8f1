import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../support/child.ts'
import { rounds } from '../support/rounds.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import type { FilledDisk } from './fill-disk.ts'

const filler = fileURLToPath(new URL('fill-disk.ts', import.meta.url))
/** It ends in the middle of a log, of a table, or with the first file. */
const sizes = ['100k', '1500k', '4m', '5m', '6m'].slice(0, rounds(3, 5))

test('a full disk is told, and with room again nothing acknowledged was lost', async (t) => {
  // Whoever is not root is root in a namespace of users, where a tmpfs may be mounted, too.
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const child = startChild(t, 'unshare', [
    ...[...asRoot, '--mount', process.execPath, '--import', 'tsx', filler],
    ...[makeTemporaryFolder(t), ...sizes],
  ])
  assert.equal(await child.exited, 0, child.output())
  const seen = JSON.parse(child.output()) as FilledDisk[]
  assert.equal(seen.length, sizes.length)
  for (const disk of seen) {
    const { size, acknowledged, removed, reopened, ...rest } = disk
    const told = JSON.stringify(disk)
    assert.deepEqual(
      rest,
      { trouble: 'full', next: 'full', said: null, lost: 0, cameBack: 0, marks: 1, afterwards: 'none' },
      told,
    )
    for (const again of reopened) assert.match(again, /^(?:full|none)$/, told)
    if (size !== '100k') assert.ok(acknowledged > 500 && removed > 10, told)
  }
})
