import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type SessionChange, type StoreEngine, StoreError } from '../../src/state/store-engine.ts'
import { rounds } from '../support/rounds.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { changeOf } from './conformance.ts'
import { type FolderPlace, makeFolderPlace } from './folder-place.ts'
import { withLevel } from './open-level.ts'
import { randomText } from './random-text.ts'

const RECORDS = 1_500
const QUERY = 1_600
const DAY = 24 * 60 * 60 * 1000

const namesOf = (n: number): { id: string; viewer: string } => ({ id: `id ${n}`, viewer: `viewer ${n}` })
const written = (n: number): SessionChange =>
  changeOf(namesOf(n).viewer, namesOf(n).id, { value: Buffer.from(randomText(QUERY)) })
/** Every third was removed. */
const isRemoved = (n: number): boolean => n % 3 === 0

/** A store that was closed, in a log and in tables. */
async function makeFilled(scope: Scope): Promise<FolderPlace> {
  const place = makeFolderPlace(scope)
  const store = place.create()
  await store.open()
  for (let from = 0; from < RECORDS; from += 100) {
    const numbers = Array.from({ length: 100 }, (_, n) => from + n)
    await store.write(numbers.map(written))
    if (from % 500 === 400)
      await store.drop(
        Array.from({ length: 500 }, (_, n) => from - 400 + n)
          .filter(isRemoved)
          .map(namesOf),
      )
  }
  const sessions = join(place.folder, 'sessions')
  // A table counts when the log that it was made of is deleted: until then that log has all of it.
  await until('a table', () => /Delete type=0 /.test(readFileSync(join(sessions, 'LOG'), 'utf8')))
  await store.close()
  return place
}

type Harm = (bytes: Buffer) => void
const harms: Readonly<Record<string, Harm>> = {
  'a flipped bit': (bytes) => {
    const at = bytes.length >> 1
    if (at > 0) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  },
  'a block of zeros': (bytes) => void blockOf(bytes).fill(0),
  'a foreign block': (bytes) => void blockOf(bytes).fill('foreign'),
}

function blockOf(bytes: Buffer): Buffer {
  return bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 4_096)
}

const files: Readonly<Record<string, RegExp>> = {
  log: /\.log$/,
  table: /\.ldb$/,
  MANIFEST: /^MANIFEST/,
  CURRENT: /^CURRENT$/,
}

/** In `npm test` each file meets one harm or two, and each harm a file or two. */
const EACH = rounds(3, 1)
for (const [f, [file, pattern]] of Object.entries(files).entries())
  for (const [h, [what, harm]] of Object.entries(harms).entries()) {
    if ((f + h) % EACH !== 0) continue
    test(`${what} in the ${file}: a fresh store is begun, the old one put aside`, async (t) => {
      const place = await makeFilled(t)
      for (const path of pathsOf(place, pattern)) {
        const bytes = readFileSync(path)
        harm(bytes)
        writeFileSync(path, bytes)
      }
      assert.match((await assertHonest(t, place)) ?? '', /put aside/)
    })
  }

for (const [file, ...kinds] of [
  ['table', 'missing', 'too short'],
  ['MANIFEST', 'missing'],
  ['CURRENT', 'missing', 'too short'],
] as const)
  for (const what of kinds)
    test(`${file} ${what}: a fresh store is begun, the old one put aside`, async (t) => {
      const place = await makeFilled(t)
      for (const path of pathsOf(place, files[file] as RegExp)) {
        if (what === 'missing') rmSync(path)
        else truncateSync(path, statSync(path).size >> 1)
      }
      const said = await assertHonest(t, place)
      assert.match(said ?? '', /put aside as .*damaged, and a fresh one begun/)
      assert.ok(readdirSync(join(place.folder, 'damaged')).length > 0)
    })

test('damaged marks are no lost marks: the store is put aside', async (t) => {
  const place = makeFolderPlace(t)
  const store = place.create()
  t.after(() => store.close())
  await store.open()
  await store.write([written(1)])
  await store.replaceWide(0, Buffer.from('marks'), DAY)
  await store.close()
  await withLevel(place, async (level) => {
    const marks = (await level.get(store.keys.wide)) as Buffer
    marks.writeUInt8(marks.readUInt8(20) ^ 1, 20)
    await level.put(store.keys.wide, marks)
  })
  assert.equal(await store.open(), undefined)
  await assert.rejects(store.wide(), { name: 'StoreError', trouble: 'damaged' })
})

test('a table that the disk cannot read is found before LevelDB maps it', async (t) => {
  const place = await makeFilled(t)
  // A folder cannot be read as a file.
  mkdirSync(join(place.folder, 'sessions', '009999.ldb'))
  const store = place.create()
  t.after(() => store.close())
  assert.match((await store.open()) ?? '', /put aside/)
  assert.deepEqual(readdirSync(place.folder).sort(), ['damaged', 'sessions'])
})

test('one copy is kept aside, for seven days', async (t) => {
  const place = makeFolderPlace(t)
  const { folder } = place
  const damaged = join(folder, 'damaged')
  const store = place.create()
  t.after(() => store.close())
  for (const content of ['first', 'second']) {
    mkdirSync(join(folder, 'sessions'), { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, 'sessions', 'CURRENT'), content)
    writeFileSync(join(folder, 'sessions', content), '')
    assert.match((await store.open()) ?? '', /put aside/)
    await store.close()
    assert.ok(existsSync(join(damaged, content)))
    rmSync(join(folder, 'sessions'), { recursive: true })
  }
  assert.equal(existsSync(join(damaged, 'first')), false)
  assert.deepEqual(readdirSync(folder), ['damaged'])
  place.wallNow += 6 * DAY
  await store.open()
  await store.open()
  assert.ok(existsSync(damaged))
  place.wallNow += 1.1 * DAY
  await store.open()
  assert.equal(existsSync(damaged), false, 'opening removes it')
})

/** @returns what the store says when it is opened, or opened again after it met damage */
async function assertHonest(scope: Scope, place: FolderPlace): Promise<string | undefined> {
  const store = place.create()
  scope.after(() => store.close())
  let said = await store.open()
  if (!(await readsTruth(store))) {
    assert.equal(said, undefined)
    said = await store.open()
    assert.match(said ?? '', /put aside/)
    assert.ok(await readsTruth(store), 'the fresh store can be read')
  }
  await store.write([written(0)])
  assert.equal((await store.list(namesOf(0).viewer)).length, 1)
  await store.close()
  assert.equal(await store.open(), undefined)
  return said
}

/** @returns whether all could be read */
async function readsTruth(store: StoreEngine): Promise<boolean> {
  try {
    for (let n = 0; n < RECORDS; n += 1) {
      const { id, viewer } = namesOf(n)
      const [listed] = await store.list(viewer)
      const [value] = await store.read(viewer, [id])
      if (listed === undefined || value === undefined) continue
      assert.ok(!isRemoved(n), `came back: ${id}`)
      assert.deepEqual([listed.id, value.length], [id, QUERY])
    }
    return true
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    assert.equal(error.trouble, 'damaged')
    return false
  }
}

/** All of a kind, because some tables may be left over. */
function pathsOf({ folder }: FolderPlace, pattern: RegExp): readonly string[] {
  const names = readdirSync(join(folder, 'sessions')).filter((name) => pattern.test(name))
  assert.ok(names.length > 0, `no ${pattern}`)
  return names.map((name) => join(folder, 'sessions', name))
}
