import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBundle, encodeBundle } from '../../src/state/level/bundle.ts'
import { readFilter, readRecord } from '../../src/state/read-record.ts'
import type { SessionRecord } from '../../src/state/record.ts'
import { allOf } from './conformance.ts'
import { makeLevelPlace } from './level-place.ts'
import { withLevel } from './open-level.ts'
import { makeRecord, makeWrite } from './records.ts'

const written = makeRecord({ failure: { reason: 'timeout', at: 1, holdsUntil: 2 } })
const read = (change: object): SessionRecord | undefined =>
  readRecord(JSON.stringify({ ...written, ...change }))

test('what a later release adds is passed over', () => {
  const failure = { ...written.failure, more: 1 }
  assert.deepEqual(read({ colour: 'x', more: { deep: [1] }, failure }), written)
})

test('a reason that a later release knows does not make the record unknown', () => {
  assert.deepEqual(read({ failure: { ...written.failure, reason: 'a new one' } })?.failure, {
    reason: 'internal',
    at: 1,
    holdsUntil: 2,
  })
})

test('what the release before did not know may be missing', () => {
  assert.deepEqual(read({ failure: undefined }), makeRecord())
  assert.equal('failure' in (read({ failure: undefined }) ?? {}), false)
})

test('the site of a record is read, and missing in those of the release before', () => {
  assert.equal(read({ site: 'tv' })?.site, 'tv')
  for (const site of [undefined, null, 7, {}]) assert.deepEqual(read({ site }), written)
})

test('a field that is missing or of another type makes a record unknown', () => {
  const wrong = [undefined, null, true, 7, 'text', [], {}, ['a'], { at: 1 }]
  for (const [name, value] of Object.entries(written)) {
    const isRight = (other: unknown): boolean =>
      (typeof other === typeof value && typeof value !== 'object') ||
      (name === 'failure' && other === undefined) ||
      (name === 'dueAt' && (other === null || typeof other === 'number'))
    for (const other of wrong)
      assert.equal(read({ [name]: other }) !== undefined, isRight(other), `${name}: ${JSON.stringify(other)}`)
  }
  for (const name of ['reason', 'at', 'holdsUntil'])
    assert.equal(read({ failure: { ...written.failure, [name]: null } }), undefined)
})

test('what is no record is none', () => {
  const whole = JSON.stringify(written)
  const texts = ['', 'null', '7', '"text"', '[]', '{}', whole.slice(0, -1), `${whole}x`, `[${whole}]`]
  for (const text of texts) assert.equal(readRecord(text), undefined, text)
  for (const number of ['1e999', '-1e999', '"1"'])
    assert.equal(readRecord(whole.replace('"part":1', `"part":${number}`)), undefined, number)
})

test('prototypes cannot be changed by a record', () => {
  const record = readRecord(JSON.stringify(written).replace('{', '{"__proto__":{"silent":true},'))
  assert.deepEqual(record, written)
  assert.equal(Object.getPrototypeOf(record), Object.prototype)
})

test('records of another format are unknown and stay until they expire', async (t) => {
  const place = makeLevelPlace(t)
  const store = place.create()
  t.after(() => store.close())
  await store.open()
  const later = store.now() + 60_000
  await store.write([makeWrite({}, later)])
  await store.close()
  await withLevel(place, async (level) => {
    const [[key] = ['']] = await level.iterator({ gt: '1' }).all()
    await level.put(
      key.replace('1', '2'),
      encodeBundle([{ id: '', expiresAt: later, payload: Buffer.from('?') }]),
    )
  })
  const bytes = async (): Promise<number> => (await allOf(store)).bytes
  await store.open()
  assert.equal((await store.recall(written.viewer)).length, 1)
  assert.equal((await allOf(store)).writes.length, 1)
  const both = await bytes()
  await store.remove([{ viewer: written.viewer, id: written.id }])
  const left = await bytes()
  assert.ok(left > 0 && left < both, `${left} of ${both}`)
  place.pass(60_000)
  await bytes()
  assert.equal(await bytes(), 0)
})

test('a record of this release that it cannot read stays until it expires', async (t) => {
  const place = makeLevelPlace(t)
  const store = place.create()
  t.after(() => store.close())
  await store.open()
  const later = store.now() + 60_000
  const odd = { ...makeWrite({ id: 'odd' }, later) }
  await store.write([{ ...odd, record: { ...odd.record, path: 7 as unknown as string } }])
  await store.write([makeWrite({ id: 'well' }, later * 2)])
  assert.deepEqual(
    (await store.recall(written.viewer)).map(({ id }) => id),
    ['well'],
  )
  const before = (await allOf(store)).bytes
  place.pass(60_000)
  await allOf(store)
  assert.ok((await allOf(store)).bytes < before)
})

test('what has expired leaves nothing', async (t) => {
  const place = makeLevelPlace(t)
  const store = place.create()
  t.after(() => store.close())
  await store.open()
  const soon = store.now() + 10_000
  await store.write([makeWrite({ id: 'a' }, soon), makeWrite({ id: 'b' }, soon * 2)])
  await store.write([makeWrite({ id: 'c', viewer: 'another' }, soon)])
  await store.mark({ filter: { user: 'anna' }, at: 1, until: soon })
  place.pass(10_000)
  await allOf(store)
  await store.close()
  await withLevel(place, async (level) => {
    const [clock, left, ...more] = await level.iterator().all()
    assert.equal(clock?.[0], '!clock')
    assert.deepEqual(
      decodeBundle(left?.[1] as Buffer)?.map(({ id }) => id),
      ['b'],
    )
    assert.deepEqual(more, [])
  })
})

test('a mark that a later release wrote closes at least what it says', async (t) => {
  const place = makeLevelPlace(t)
  const store = place.create()
  t.after(() => store.close())
  await store.open()
  const until = store.now() + 60_000
  await store.mark({ filter: { user: 'anna', site: 'edge1' } as object, at: 5, until })
  assert.deepEqual(await store.marks(), [{ filter: {}, at: 5, until }])
  assert.deepEqual(readFilter('{"user":"anna"}'), { user: 'anna' })
  assert.equal(readFilter('{"user":7}'), undefined)
})
