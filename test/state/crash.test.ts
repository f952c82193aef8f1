import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { startChild } from '../support/child.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { makeFolderPlaceIn } from './folder-place.ts'

const writer = fileURLToPath(new URL('crash-writer.ts', import.meta.url))

test('kill -9: nothing acknowledged is lost, and nothing that was removed comes back', async (t) => {
  const folder = join(makeTemporaryFolder(t), 'state')
  const written = new Set<string>()
  const removed = new Set<string>()
  const marked = new Set<string>()
  for (let round = 0; round < 3; round += 1) {
    const child = startChild(t, process.execPath, ['--import', 'tsx', writer, folder, `${round}`])
    // Some rounds end while LevelDB compacts: its log has 2 MB.
    const enough = [3, 30, 150][round] as number
    await until(
      'the child has written',
      () => child.output().split('\n').length > enough * 3 || child.process.exitCode !== null,
      60_000,
    )
    await child.stop('SIGKILL')
    // The last line may be torn.
    for (const line of child.output().split('\n').slice(0, -1)) {
      const [what, ...ids] = line.split(' ')
      if (what === 'written') for (const id of ids.slice(1)) written.add(`${ids[0]} ${id}`)
      else if (what === 'removed') for (const id of ids.slice(1)) removed.add(`${ids[0]} ${id}`)
      else if (what === 'marked') marked.add(ids[0] as string)
      else assert.fail(`the child said: ${line}`)
    }
    await assertAllThere(folder, written, removed, marked)
  }
  assert.ok(written.size > 3_000 && removed.size > 700, `${written.size} ${removed.size}`)
})

async function assertAllThere(
  folder: string,
  written: ReadonlySet<string>,
  removed: ReadonlySet<string>,
  marked: ReadonlySet<string>,
): Promise<void> {
  const store = makeFolderPlaceIn(folder).create()
  assert.equal(await store.open(), undefined)
  try {
    const found = await idsOf(store)
    // A removal whose acknowledgement was not heard may have happened: the first five of the last batch.
    const isLastBatch = (name: string): boolean => !removed.has(name) && /-[0-4]$/.test(name)
    for (const name of written)
      if (!removed.has(name) && !isLastBatch(name)) assert.ok(found.has(name), `lost: ${name}`)
    for (const name of removed) assert.ok(!found.has(name), `came back: ${name}`)
    const marks = [...marked]
    for (const [at, value] of (await store.marksOf(marks)).entries())
      assert.ok(value !== undefined, `mark lost: ${marks[at]}`)
  } finally {
    await store.close()
  }
}

async function idsOf(store: StoreEngine): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let third = 0; third < 3; third += 1)
    for (let n = 0; n < 20; n += 1)
      for (const { id } of await store.list(`viewer ${third}-${n}`)) found.add(`${third} ${id}`)
  return found
}
