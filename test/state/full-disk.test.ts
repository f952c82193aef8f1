import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../support/child.ts'
import { rounds } from '../support/rounds.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import type { FilledDisk } from './fill-disk.ts'

const filler = fileURLToPath(new URL('fill-disk.ts', import.meta.url))
/** Kilobytes. */
const MEGABYTE = 1_024
/** Sizes of disks, in kilobytes. In `npm test` some of them are tried. */
const FULL = [1_500, 100, 6 * MEGABYTE, 9 * MEGABYTE]
const OWN = [9 * MEGABYTE, 13 * MEGABYTE, 14 * MEGABYTE]

async function fill(
  t: TestContext,
  max: number,
  foreign: number,
  sizes: readonly number[],
): Promise<FilledDisk[]> {
  // Whoever is not root is root in a namespace of users, where a tmpfs may be mounted, too.
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const child = startChild(t, 'unshare', [
    ...[...asRoot, '--mount', process.execPath, '--import', 'tsx', filler],
    ...[makeTemporaryFolder(t), ...[max, foreign, ...sizes].map(String)],
  ])
  assert.equal(await child.exited, 0, child.output())
  const seen = JSON.parse(child.output()) as FilledDisk[]
  assert.equal(seen.length, sizes.length)
  return seen
}

test('a disk that others have filled is told, and with room again nothing acknowledged was lost', async (t) => {
  // It ends with the first file, in the middle of a log, or of a table.
  for (const disk of await fill(t, 256 * MEGABYTE, 64 * MEGABYTE, FULL.slice(0, rounds(2, 4)))) {
    const { size, acknowledged, ended, reopened, again, ...rest } = disk
    const told = JSON.stringify(disk)
    assert.deepEqual(
      rest,
      {
        lost: 0,
        cameBack: 0,
        isMarked: true,
        trouble: 'full',
        next: 'full',
        said: 'none',
        afterwards: 'none',
      },
      told,
    )
    for (const one of [...reopened, again]) assert.match(one, /^(?:full|none)$/, told)
    if (size !== '100') assert.ok(acknowledged > 500 && ended > 10, told)
  }
})

test('a disk that is full of our own sessions is used again: what was closed stays closed', async (t) => {
  for (const disk of await fill(t, 16 * MEGABYTE, 0, OWN.slice(0, rounds(1, 3)))) {
    const { reopened, trouble, again, cameBack, isMarked, afterwards } = disk
    assert.equal(
      reopened.filter((one) => one.includes('had filled its disk')).length,
      1,
      JSON.stringify(disk),
    )
    assert.deepEqual(
      { trouble, again, cameBack, isMarked, afterwards },
      { trouble: 'full', again: 'none', cameBack: 0, isMarked: true, afterwards: 'none' },
      JSON.stringify(disk),
    )
  }
})
