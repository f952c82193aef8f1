import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeRecord, makeWrite } from '../records.ts'
import { makeValkeyPlace } from './valkey-place.ts'

const { viewer } = makeRecord()
const hour = 3_600_000

describe('records that gates share', { concurrency: 4 }, () => {
  test('what one gate writes, the other recalls', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    assert.deepEqual(await one.write([makeWrite()]), [])
    assert.deepEqual(await other.recall(viewer), [makeRecord()])
  })

  test('a session that a gate has ended is refused when another writes it late, with the reason', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    await one.write([makeWrite({ id: 'a' }), makeWrite({ id: 'b' })])
    const end = { why: 'displaced', by: 'b' } as const
    assert.deepEqual(await one.remove([{ viewer, id: 'a', end }]), [])
    assert.deepEqual(await other.write([makeWrite({ id: 'a' }), makeWrite({ id: 'c' })]), [
      { id: 'a', why: 'ended', end },
    ])
    assert.deepEqual((await other.recall(viewer)).map(({ id }) => id).sort(), ['b', 'c'])
    assert.deepEqual(await one.write([makeWrite({ id: 'a' })]), [{ id: 'a', why: 'ended', end }])
  })

  test('of two ends the first one counts; the same gate may tell its own twice', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    const removal = { viewer, id: 'a', end: { why: 'closed' } } as const
    assert.deepEqual(await one.remove([removal]), [])
    assert.deepEqual(await one.remove([removal]), [])
    assert.deepEqual(await other.remove([{ viewer, id: 'a', end: { why: 'denied' } }]), [
      { id: 'a', why: 'ended', end: { why: 'closed' } },
    ])
  })

  test('a removal without an end leaves nothing behind', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await store.write([makeWrite({ id: 'a' })])
    await store.remove([{ viewer, id: 'a' }])
    assert.deepEqual(await place.server.cli('--scan', '--pattern', 'test:1:v*'), '')
    assert.deepEqual(await store.write([makeWrite({ id: 'a' })]), [])
  })

  test('an end counts for 25 hours', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await store.remove([{ viewer, id: 'a', end: { why: 'closed' } }])
    await place.pass(25 * hour - 60_000)
    assert.equal((await store.write([makeWrite({ id: 'a' })])).length, 1)
    await place.pass(60_000)
    assert.deepEqual(await store.write([makeWrite({ id: 'a' })]), [])
  })

  test('a session that went silent here, and was requested elsewhere since, has moved', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    await one.write([makeWrite({ activeAt: 3_000 })])
    await other.write([makeWrite({ activeAt: 4_000 })])
    const silent = makeWrite({ activeAt: 3_500, silent: true })
    assert.deepEqual(await one.write([silent]), [{ id: 'session-1', why: 'moved' }])
    assert.deepEqual(
      (await one.recall(viewer)).map((record) => record.silent),
      [false],
    )
    assert.deepEqual(await other.write([makeWrite({ activeAt: 4_000, silent: true })]), [])
  })

  test('a session of a gate that has died may be told silent by another', async (t) => {
    const place = await makeValkeyPlace(t)
    const [dead, other] = await Promise.all([place.open(), place.open()])
    await dead.write([makeWrite({ activeAt: 3_000 })])
    await dead.close()
    assert.deepEqual(await other.write([makeWrite({ activeAt: 3_000, silent: true })]), [])
  })

  test('of more than 512 sessions of a viewer, silent ones go first, and ends never', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    const now = store.now()
    await store.remove([{ viewer, id: 'ended', end: { why: 'closed' } }])
    const silent = Array.from({ length: 12 }, (_, n) =>
      makeWrite({ id: `silent-${n}`, silent: true }, now + 10 * hour + n),
    )
    const playing = Array.from({ length: 508 }, (_, n) => makeWrite({ id: `plays-${n}` }, now + hour + n))
    await store.write([...silent, ...playing])
    const ids = (await store.recall(viewer)).map(({ id }) => id)
    assert.equal(ids.length, 512)
    assert.deepEqual(ids.filter((id) => id.startsWith('silent')).sort(), [
      ...['silent-10', 'silent-11', 'silent-8', 'silent-9'],
    ])
    await store.write(Array.from({ length: 6 }, (_, n) => makeWrite({ id: `late-${n}` }, now + 2 * hour)))
    const rest = (await store.recall(viewer)).map(({ id }) => id)
    assert.equal(rest.length, 512)
    assert.ok(!rest.includes('plays-0') && !rest.includes('plays-1') && rest.includes('plays-2'))
    assert.equal((await store.write([makeWrite({ id: 'ended' })])).length, 1)
  })

  test('the time until a key goes only grows', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    const ttl = async (): Promise<number> => {
      const key = await place.server.cli('--scan', '--pattern', 'test:1:v*')
      return Number(await place.server.cli('PTTL', key))
    }
    await store.write([makeWrite({ id: 'a' }, store.now() + 10 * hour)])
    await store.write([makeWrite({ id: 'b' }, store.now() + hour)])
    assert.ok((await ttl()) > 9 * hour)
    await store.remove([{ viewer, id: 'a', end: { why: 'closed' } }])
    assert.ok((await ttl()) > 24 * hour)
    assert.ok((await ttl()) <= 25 * hour)
  })

  test('with what goes silent a key goes as late as the last of what is in it, and what has expired goes at once', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    const key = async (): Promise<string> => place.server.cli('--scan', '--pattern', 'test:1:v*')
    const ttl = async (): Promise<number> => Number(await place.server.cli('PTTL', await key()))
    const now = store.now()
    await store.write([makeWrite({ id: 'goes' }, now + 10 * hour), makeWrite({ id: 'over' }, now - 1)])
    await store.write([makeWrite({ id: 'goes', silent: true }, now + hour / 4)])
    assert.ok((await ttl()) <= hour / 4)
    assert.equal(await place.server.cli('HLEN', await key()), '1')
    await store.remove([{ viewer, id: 'ended', end: { why: 'closed' } }])
    await store.write([makeWrite({ id: 'goes', silent: true }, now + hour / 4)])
    assert.ok((await ttl()) > 24 * hour)
  })

  test('one gate at a time walks through all records', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    assert.equal(await one.claimSweep(200), true)
    assert.equal(await other.claimSweep(200), false)
    assert.equal(await one.claimSweep(100), true)
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.equal(await other.claimSweep(200), true)
  })

  test('without a connection nothing is done, and no call waits', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await place.server.kill()
    await place.server.restart(['--requirepass', 'other'])
    while (store.isUsable(viewer)) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(await store.write([makeWrite()]), [{ id: 'session-1', why: 'away' }])
    assert.deepEqual(await store.remove([{ viewer, id: 'a' }]), [{ id: 'a', why: 'away' }])
    await assert.rejects(store.recall(viewer), { name: 'StoreError' })
    assert.equal(store.users.isUsable('anna'), false)
  })
})
