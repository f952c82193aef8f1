import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSeal } from '../../src/state/seal.ts'
import { allOf } from './conformance.ts'
import { type LevelPlace, makeLevelPlace } from './level-place.ts'
import { withLevel } from './open-level.ts'
import { makeRecord, makeWrite } from './records.ts'

const first = 'the first secret, of 32 characters'
const second = 'the second secret, of 32 characters'
const { viewer } = makeRecord()

test('with a secret nothing in the folder tells a token, an address, a path or a user', async (t) => {
  const place = makeLevelPlace(t)
  const words = {
    address: '198.51.100.77',
    path: '/live/verynews/index.m3u8',
    query: 'token=t0pS3cretT0ken',
    user: 'annabella',
    userAgent: 'RarePlayer/7',
    origin: 'https://rare.example',
  }
  const record = makeRecord({ ...words, viewer: `${words.address}\0${words.userAgent}` })
  for (const secrets of [[], [first]]) {
    const store = place.create({ secrets, configuration: 'http://back.example/?password=hunter2' })
    await store.open()
    await store.write([{ record, expiresAt: Number.MAX_SAFE_INTEGER }])
    await store.mark({
      filter: { user: words.user, address: words.address, channel: words.path },
      at: 1,
      until: 1e15,
    })
    await store.close()
    // The log becomes a table.
    await store.open()
    await store.write([{ record, expiresAt: Number.MAX_SAFE_INTEGER }])
    await store.close()
    if (secrets.length === 0) {
      assert.ok(contentOf(place).includes('t0pS3cretT0ken'), 'this test can see a token')
      await withLevel(place, async (level) => {
        await level.clear()
        await level.compactRange('', '~')
      })
    }
  }
  const content = contentOf(place)
  for (const word of [...Object.values(words), 'hunter2', '"query"'])
    assert.ok(!content.includes(word), `readable: ${word}`)
})

test('with another secret all is unknown, and there again with its own', async (t) => {
  const place = makeLevelPlace(t)
  const open = async (secrets: readonly string[]) => {
    const store = place.create({ secrets })
    t.after(() => store.close())
    await store.open()
    return store
  }
  const mine = await open([first])
  await mine.write([makeWrite()])
  await mine.close()
  for (const secrets of [[second], [], ['']]) {
    const other = await open(secrets)
    assert.deepEqual(await other.recall(viewer), [])
    assert.deepEqual((await allOf(other)).writes, [])
    await other.close()
  }
  const again = await open([first])
  assert.equal((await again.recall(viewer)).length, 1)
})

test('what was written in clear is unknown once there is a secret', async (t) => {
  const place = makeLevelPlace(t)
  const clear = place.create()
  await clear.open()
  await clear.write([makeWrite()])
  await clear.close()
  // Somebody puts it where it would be with a secret.
  const sealed = place.create({ secrets: [first] })
  t.after(() => sealed.close())
  await sealed.open()
  await sealed.write([makeWrite({ id: 'b' })])
  await sealed.close()
  await withLevel(place, async (level) => {
    const keys = await level.keys({ gt: '1' }).all()
    assert.equal(keys.length, 2)
    const values = await level.getMany(keys)
    await level.batch(keys.map((key, index) => ({ type: 'put', key, value: values[1 - index] as Buffer })))
  })
  await sealed.open()
  assert.deepEqual(await sealed.recall(viewer), [])
})

test("a sealed record is worth nothing under another viewer's key", async (t) => {
  const place = makeLevelPlace(t)
  const store = place.create({ secrets: [first] })
  t.after(() => store.close())
  await store.open()
  await store.write([makeWrite(), makeWrite({ viewer: 'another', id: 'b' })])
  await store.close()
  await withLevel(place, async (level) => {
    const [one = '', other = ''] = await level.keys({ gt: '1' }).all()
    await level.put(other, (await level.get(one)) as Buffer)
    await level.del(one)
  })
  await store.open()
  assert.deepEqual((await allOf(store)).writes, [])
})

test('rotation: old records are read, removed and written again under the new secret', async (t) => {
  const place = makeLevelPlace(t)
  const before = place.create({ secrets: [first] })
  await before.open()
  await before.write(['a', 'b', 'c'].map((id) => makeWrite({ id })))
  await before.mark({ filter: { user: 'anna' }, at: 1, until: 1e15 })
  await before.close()

  const during = place.create({ secrets: [second, first] })
  await during.open()
  assert.equal((await during.recall(viewer)).length, 3)
  assert.deepEqual(await during.marks(), [{ filter: { user: 'anna' }, at: 1, until: 1e15 }])
  await during.remove([{ viewer, id: 'a' }])
  await during.write([makeWrite({ id: 'b', requests: 9 })])
  const found = (await during.recall(viewer)).map(({ id, requests }) => `${id} ${requests}`).sort()
  assert.deepEqual(found, ['b 9', 'c 4'])
  await during.close()

  const after = place.create({ secrets: [second] })
  t.after(() => after.close())
  await after.open()
  assert.deepEqual(
    (await after.recall(viewer)).map(({ id }) => id),
    ['b'],
  )
})

test('a mark that no secret opens is taken to be about all sessions', async (t) => {
  const place = makeLevelPlace(t)
  const mine = place.create({ secrets: [first] })
  await mine.open()
  await mine.mark({ filter: { user: 'anna' }, at: 7, until: 1e15 })
  await mine.close()
  const other = place.create({ secrets: [second] })
  t.after(() => other.close())
  await other.open()
  assert.deepEqual(await other.marks(), [{ filter: {}, at: 7, until: 1e15 }])
})

test('what is sealed opens only in its place, whole, and never looks the same twice', () => {
  const seal = createSeal([first])
  const sealed = seal.seal('text ÿ 🎬', 'here')
  assert.equal(seal.open(sealed, 'here'), 'text ÿ 🎬')
  assert.equal(createSeal([second, first]).open(sealed, 'here'), 'text ÿ 🎬')
  assert.equal(seal.open(sealed, 'there'), undefined)
  assert.equal(createSeal([second]).open(sealed, 'here'), undefined)
  assert.notDeepEqual(seal.seal('text ÿ 🎬', 'here'), sealed)
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    assert.equal(seal.open(changed, 'here'), undefined, `byte ${at}`)
    assert.equal(seal.open(sealed.subarray(0, at), 'here'), undefined, `${at} bytes`)
  }
  const salts = [seal, createSeal([first])].map((one) => one.seal('', '').subarray(1, 17).toString('hex'))
  assert.notEqual(salts[0], salts[1], 'each process has a key of its own')
})

function contentOf({ folder }: LevelPlace): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name + readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}
