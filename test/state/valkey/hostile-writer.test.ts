import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ValkeyServer } from '../../support/valkey.ts'
import { makeRecord, makeWrite } from '../records.ts'
import { makeValkeyPlace } from './valkey-place.ts'

const { id, viewer } = makeRecord()
const LATE = '99999999999999'

async function keyOf(server: ValkeyServer, kind: 'v' | 'u'): Promise<string> {
  return await server.cli('--scan', '--pattern', `test:1:${kind}*`)
}

/** What SECURITY.md says of whoever writes into Valkey without the secret. */
describe('whoever writes into Valkey without the secret', { concurrency: 4 }, () => {
  test('keeps a session out of the store by a forged tombstone, but tells no end of it', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await store.write([makeWrite()])
    await place.server.cli('HSET', await keyOf(place.server, 'v'), `x${id}`, `${LATE}:gate:forged`)
    assert.deepEqual(await store.write([makeWrite()]), [{ id, why: 'ended', end: undefined }])
    assert.deepEqual(await store.recall(viewer), [])
  })

  test('has the end of a silent session hidden by a forged owner', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await store.write([makeWrite()])
    await place.server.cli('HSET', await keyOf(place.server, 'v'), `r${id}`, `${LATE}:gate:0:${LATE}:forged`)
    assert.deepEqual(await store.write([makeWrite({ silent: true })]), [{ id, why: 'moved' }])
  })

  test('brings back an older value of the very same key alone, with the times that are sealed in it', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    const { server } = place
    await store.write([makeWrite({ requests: 1 })])
    const key = await keyOf(server, 'v')
    const keep = `redis.call('SET', 'kept', redis.call('HGET', KEYS[1], ARGV[1]))`
    const putBack = `redis.call('HSET', KEYS[1], ARGV[1], redis.call('GET', 'kept'))`
    await server.cli('EVAL', keep, '1', key, `r${id}`)
    await store.write([makeWrite({ requests: 2, lastSeen: 5_000 })])
    await server.cli('EVAL', putBack, '1', key, `r${id}`)
    const [record] = await store.recall(viewer)
    assert.deepEqual([record?.requests, record?.lastSeen], [1, 2_000])
    await server.cli('EVAL', putBack, '1', key, 'ranother')
    assert.deepEqual(
      (await store.recall(viewer)).map((one) => one.id),
      [id],
    )
  })

  test('brings back an older state of a user for this user alone', async (t) => {
    const place = await makeValkeyPlace(t)
    const { users } = await place.open()
    const { server } = place
    const first = await users.write('anna', 'older', undefined, 60_000)
    const anna = await keyOf(server, 'u')
    await server.cli('COPY', anna, 'kept')
    assert.ok(await users.write('anna', 'newer', first, 60_000))
    await server.cli('COPY', 'kept', anna, 'REPLACE')
    assert.equal((await users.read('anna'))?.text, 'older')
    await users.write('bert', 'of bert', undefined, 60_000)
    const bert = (await keyOf(server, 'u')).split('\n').find((key) => key !== anna) as string
    await server.cli('COPY', 'kept', bert, 'REPLACE')
    assert.equal((await users.read('bert'))?.text, '')
  })
})
