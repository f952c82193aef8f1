import assert from 'node:assert/strict'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Scope } from '../support/scope.ts'
import { changeOf } from './conformance.ts'
import { type FolderPlace, makeFolderPlace } from './folder-place.ts'
import { randomText } from './random-text.ts'

test('the folder is created for its user alone, and so is every file in it', async (t) => {
  // A wide mask of the process, and a folder that hands its group on.
  const mask = process.umask(0)
  t.after(() => void process.umask(mask))
  const { folder, create } = makeFolderPlace(t)
  chmodSync(dirname(folder), 0o2755)
  const store = create()
  t.after(() => store.close())
  await store.open()
  // Enough for LevelDB to create files of its own.
  for (let n = 0; n < 60; n += 1) {
    const id = `${n}`
    await store.write([changeOf(id, id, { value: Buffer.from(randomText(100_000)) })])
  }
  await store.close()
  await store.open()
  assert.equal(lstatSync(folder).mode & 0o777, 0o700)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  assert.ok(names.filter((name) => name.endsWith('.ldb')).length > 0, names.join())
  for (const name of names) {
    const stats = lstatSync(join(folder, name))
    assert.equal(stats.mode & 0o777, stats.isDirectory() ? 0o700 : 0o600, name)
  }
})

interface Unsafe {
  readonly what: string
  make(place: FolderPlace): void
  readonly says: RegExp
}

const unsafe: readonly Unsafe[] = [
  ...[0o750, 0o705, 0o770, 0o701].map((mode) => ({
    what: `a folder of mode ${mode.toString(8)}`,
    make: ({ folder }: FolderPlace) => {
      mkdirSync(folder)
      chmodSync(folder, mode)
    },
    says: /chmod 700/,
  })),
  {
    what: 'a symbolic link in its place',
    make: ({ folder }) => {
      mkdirSync(`${folder}-real`, { mode: 0o700 })
      symlinkSync(`${folder}-real`, folder)
    },
    says: /symbolic link/,
  },
  {
    what: 'a symbolic link to nothing in its place',
    make: ({ folder }) => symlinkSync(`${folder}-nowhere`, folder),
    says: /symbolic link/,
  },
  {
    what: 'a symbolic link in the place of the sessions',
    make: ({ folder }) => {
      mkdirSync(folder, { mode: 0o700 })
      mkdirSync(`${folder}-real`, { mode: 0o700 })
      symlinkSync(`${folder}-real`, join(folder, 'sessions'))
    },
    says: /symbolic link/,
  },
  {
    what: 'a parent that its group may write to',
    make: ({ folder }) => chmodSync(dirname(folder), 0o770),
    says: /chmod go-w/,
  },
  {
    what: 'a parent that all may write to',
    make: ({ folder }) => chmodSync(dirname(folder), 0o702),
    says: /chmod go-w/,
  },
]

for (const { what, make, says } of unsafe)
  test(`not used: ${what}`, async (t) => {
    const place = makeFolderPlace(t)
    make(place)
    await assertUnused(place, says)
  })

test('not used: a parent that is a symbolic link', async (t) => {
  const { folder } = makeFolderPlace(t)
  mkdirSync(join(dirname(folder), 'real'), { mode: 0o700 })
  symlinkSync('real', join(dirname(folder), 'link'))
  const place = { ...makeFolderPlace(t), folder: join(dirname(folder), 'link', 'state') }
  await assertUnused(place, /symbolic link/)
})

test('a parent with a sticky bit is safe', async (t) => {
  const place = makeFolderPlace(t)
  chmodSync(dirname(place.folder), 0o1777)
  const store = place.create()
  t.after(() => store.close())
  await store.open()
})

test('a parent that does not exist is told', async (t) => {
  const place = makeFolderPlace(t)
  const store = place.create({ folder: join(place.folder, 'deeper') })
  await assert.rejects(store.open(), { name: 'StoreError', message: /does not exist; create it/ })
})

test("not used: somebody else's folder, parent or sessions", async (t) => {
  for (const part of ['', '..', 'sessions']) {
    const place = makeFolderPlace(t)
    mkdirSync(join(place.folder, 'sessions'), { recursive: true, mode: 0o700 })
    givenAway(t, join(place.folder, part))
    await assertUnused(place, /somebody else/)
  }
})

/** Whoever may not give a folder away says instead that it is somebody else who runs this. */
function givenAway(scope: Scope, path: string): void {
  if (process.getuid?.() === 0) {
    chownSync(path, 12_345, 12_345)
    return
  }
  const uid = process.getuid
  if (uid === undefined) return
  const own = uid()
  process.getuid = () => own + 1
  scope.after(() => {
    process.getuid = uid
  })
}

async function assertUnused({ folder, create }: FolderPlace, says: RegExp): Promise<void> {
  const store = create({ folder })
  await assert.rejects(store.open(), { name: 'StoreError', trouble: 'rights', message: says })
  await assert.rejects(store.write([changeOf('viewer', 'a')]), { trouble: 'rights' })
}
