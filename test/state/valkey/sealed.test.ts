import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ValkeyServer } from '../../support/valkey.ts'
import { makeRecord, makeWrite } from '../records.ts'
import { makeValkeyPlace } from './valkey-place.ts'

const record = makeRecord()
const { viewer } = record
const newer = 'a secret of thirty-two characters'
const older = 'the secret of thirty-two before it'

/** All keys and values, as the server has them. */
async function dump(server: ValkeyServer): Promise<string> {
  const script = `local out = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local value = kind == 'hash' and redis.call('HGETALL', key)
    or kind == 'stream' and redis.call('XRANGE', key, '-', '+') or { redis.call('GET', key) }
  out[#out + 1] = key
  out[#out + 1] = value
end
return out`
  return server.cli('EVAL', script, '0')
}

describe('what lies in Valkey', { concurrency: 4 }, () => {
  test('there is nothing of a viewer in clear, in any key or value', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await store.write([makeWrite({ id: 'a' }), makeWrite({ id: 'b' })])
    await store.remove([{ viewer, id: 'b', end: { why: 'displaced', by: 'a' } }])
    await store.mark({ filter: { user: 'anna', address: '192.0.2.7' }, at: 1, until: store.now() + 60_000 })
    await store.users.write('anna', '{"plays":["/live/news"]}', undefined, 60_000)
    await store.messages.post({ kind: 'close', address: '192.0.2.7', user: 'anna' })
    await store.gates.tell({ name: 'edge-seven', version: '1', sessions: 4 })
    const all = await dump(place.server)
    for (const kind of ['v{', 'u{', '{marks}', '{messages}', '{gates}']) assert.ok(all.includes(kind), kind)
    for (const clear of [
      '192.0.2',
      'anna',
      's3cret',
      'news',
      'VLC',
      'tv.example',
      'displaced',
      'close',
      'edge-seven',
    ])
      assert.ok(!all.includes(clear), clear)
  })

  test('all keys begin with the prefix, and all but the stream go by themselves', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    await store.write([makeWrite()])
    await store.mark({ filter: {}, at: 1, until: store.now() + 60_000 })
    await store.users.write('anna', 'text', undefined, 60_000)
    await store.messages.post({ kind: 'x' })
    await store.gates.tell({ name: 'edge', version: '1', sessions: 4 })
    await store.claimSweep(10_000)
    const keys = (await place.server.cli('KEYS', '*')).split('\n').sort()
    assert.equal(keys.length, 8, keys.join(' '))
    for (const key of keys) {
      assert.ok(key.startsWith('test:1:'), key)
      const ttl = Number(await place.server.cli('PTTL', key))
      assert.ok(key.endsWith('{messages}') ? ttl === -1 : ttl > 0, key)
    }
  })

  test('what somebody else has put there is unknown', async (t) => {
    const place = await makeValkeyPlace(t)
    const [store, stranger] = await Promise.all([
      place.open(),
      place.open({ secrets: ['the secret of a stranger, 32 long.'] }),
    ])
    await stranger.write([makeWrite({ viewer: 'of the stranger', id: 'planted' })])
    const keys = place.server.cli('--scan', '--pattern', 'test:1:v*')
    await store.write([makeWrite({ id: 'own' })])
    const [foreign = ''] = (await keys).split('\n')
    const own = (await place.server.cli('--scan', '--pattern', 'test:1:v*'))
      .split('\n')
      .find((key) => key !== foreign) as string
    const copy = `for _, key in ipairs(KEYS) do
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do redis.call('HSET', KEYS[2], 'r' .. (key == KEYS[1] and 'planted' or 'copied'), all[i + 1]) end
end`
    await place.server.cli('EVAL', copy, '2', foreign, own)
    await place.server.cli('HSET', own, 'rgarbage', 'garbage', 'r', '', 'z', '9:9:')
    assert.deepEqual(
      (await store.recall(viewer)).map(({ id }) => id),
      ['own'],
    )
    const { writes } = await store.slice(undefined, 100)
    assert.deepEqual(
      writes.map(({ record }) => record.id),
      ['own'],
    )
  })

  test('a mark that cannot be opened closes nothing', async (t) => {
    const place = await makeValkeyPlace(t)
    const [store, stranger] = await Promise.all([
      place.open(),
      place.open({ secrets: ['the secret of a stranger, 32 long.'] }),
    ])
    await stranger.mark({ filter: {}, at: 1, until: store.now() + 60_000 })
    assert.deepEqual(await store.marks(), [])
  })

  test('a secret is rotated in steps, and gates of two steps see the same', async (t) => {
    const place = await makeValkeyPlace(t)
    const steps = [[older], [older, newer], [newer, older], [newer]]
    const [one, two, three, four] = await Promise.all(steps.map((secrets) => place.open({ secrets })))
    assert.ok(one && two && three && four)
    const requestsOf = async (store: typeof one): Promise<number[]> =>
      (await store.recall(viewer)).map(({ requests }) => requests)
    await one.write([makeWrite({ requests: 1 })])
    assert.deepEqual(await requestsOf(two), [1])
    await two.write([makeWrite({ requests: 2 })])
    assert.deepEqual(await requestsOf(one), [2])
    assert.deepEqual(await requestsOf(three), [2])
    await three.write([makeWrite({ requests: 3 })])
    assert.deepEqual(await requestsOf(two), [3])
    assert.deepEqual(await requestsOf(four), [3])
    await four.write([makeWrite({ requests: 4 })])
    assert.deepEqual(await requestsOf(three), [4])
    assert.deepEqual((await three.slice(undefined, 100)).writes.length, 1)
    await two.remove([{ viewer, id: record.id, end: { why: 'closed' } }])
    for (const store of [one, two, three, four]) {
      assert.deepEqual(await requestsOf(store), [])
      assert.equal((await store.write([makeWrite()]))[0]?.why, 'ended')
    }
  })

  test('while a secret is rotated, a user has one value for gates of two steps', async (t) => {
    const place = await makeValkeyPlace(t)
    const [two, three] = await Promise.all([
      place.open({ secrets: [older, newer] }),
      place.open({ secrets: [newer, older] }),
    ])
    for (const user of ['anna', 'bert', 'carl', 'dora']) {
      await two.users.write(user, 'two', undefined, 60_000)
      const read = await three.users.read(user)
      assert.equal(read?.text, 'two')
      assert.equal(await three.users.write(user, 'none', undefined, 60_000), undefined)
      assert.ok(await three.users.write(user, 'three', read, 60_000))
      assert.equal((await two.users.read(user))?.text, 'three')
    }
  })
})
