import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ValkeyStore } from '../../../src/state/valkey/valkey-store.ts'
import { until } from '../../support/until.ts'
import { makeValkeyPlace } from './valkey-place.ts'

/** What a store is told from now on; `lost` for each time that something may be lost. */
function hear(store: ValkeyStore): { readonly heard: string[]; readonly froms: Set<string> } {
  const heard: string[] = []
  const froms = new Set<string>()
  store.messages.onMessage(({ kind }, from) => {
    heard.push(kind)
    froms.add(from)
  })
  store.messages.onLost(() => heard.push('lost'))
  return { heard, froms }
}

async function hears(heard: readonly string[], kind: string): Promise<void> {
  await until(`it hears ${kind}: ${heard.join(' ')}`, () => heard.includes(kind))
}

/** Posts until it is heard: a gate hears what is told after it has begun to read. */
async function begin(store: ValkeyStore, all: readonly (readonly string[])[]): Promise<void> {
  await until('all gates read', async () => {
    await store.messages.post({ kind: 'begin' })
    await delay(20)
    return all.every((heard) => heard.includes('begin'))
  })
}

const entries = `redis.call('XRANGE', KEYS[1], '-', '+')`

describe('messages between gates', { concurrency: 4 }, () => {
  test('every gate hears all in one order, its own included, once', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    const [first, second] = [hear(one), hear(other)]
    await begin(one, [first.heard, second.heard])
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => (n % 2 ? one : other).messages.post({ kind: `m${n}` })),
    )
    await one.messages.post({ kind: 'end' })
    await hears(first.heard, 'end')
    await hears(second.heard, 'end')
    const after = (heard: readonly string[]): readonly string[] => heard.filter((kind) => kind !== 'begin')
    assert.deepEqual(after(first.heard), after(second.heard))
    assert.equal(new Set(after(first.heard)).size, 201)
    assert.equal(after(first.heard).length, 201)
    assert.deepEqual([...first.froms].sort(), [one.gate, other.gate].sort())
  })

  test('a message is plain data, and comes as it was told', async (t) => {
    const place = await makeValkeyPlace(t)
    const store = await place.open()
    const messages: unknown[] = []
    store.messages.onMessage((message) => messages.push(message))
    const told = { kind: 'close', filter: { user: 'ÿ 🎬' }, ids: ['a', 'b'], at: 1.5 }
    await until('it hears it', async () => {
      await store.messages.post(told)
      await delay(20)
      return messages.length > 0
    })
    assert.deepEqual(messages[0], told)
  })

  test('what was told before a gate began is none of its business', async (t) => {
    const place = await makeValkeyPlace(t)
    const one = await place.open()
    await one.messages.post({ kind: 'before' })
    const other = await place.open()
    const { heard } = hear(other)
    await begin(one, [heard])
    assert.ok(!heard.includes('before') && !heard.includes('lost'), heard.join(' '))
  })

  test('what was told while a gate was cut off comes late, in order, and nothing is lost', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    const { heard } = hear(other)
    await begin(one, [heard])
    // Connections of a reader are those that wait.
    const cut = async (): Promise<void> => {
      const list = await place.server.cli('CLIENT', 'LIST')
      const readers = list.split('\n').filter((line) => /cmd=xread/.test(line))
      assert.ok(readers.length > 0, list)
      for (const line of readers)
        await place.server.cli('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line)?.[1] ?? '').catch(() => '')
    }
    await cut()
    for (let n = 0; n < 20; n += 1) await one.messages.post({ kind: `m${n}` })
    await hears(heard, 'm19')
    assert.deepEqual(
      heard.filter((kind) => kind !== 'begin'),
      Array.from({ length: 20 }, (_, n) => `m${n}`),
    )
  })

  test('when more was told than is kept, while a gate was cut off, it says so', async (t) => {
    const place = await makeValkeyPlace(t)
    const one = await place.open({}, { mostMessages: 1 })
    const other = await place.open()
    const { heard } = hear(other)
    await begin(one, [heard])
    await other.close()
    // Valkey trims whole nodes of 100 entries.
    await Promise.all(Array.from({ length: 250 }, (_, n) => one.messages.post({ kind: `m${n}` })))
    await other.open()
    await hears(heard, 'lost')
    await hears(heard, 'm249')
  })

  test('a stream that was emptied is read from its beginning, and something may be lost', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    const { heard } = hear(other)
    await begin(one, [heard])
    await other.close()
    await place.server.cli('FLUSHALL')
    await other.open()
    await one.messages.post({ kind: 'after' })
    await hears(heard, 'after')
    await hears(heard, 'lost')
    await one.messages.post({ kind: 'later' })
    await hears(heard, 'later')
    assert.equal(heard.filter((kind) => kind === 'lost').length, 1, heard.join(' '))
  })

  test('copies, foreign entries and garbage are dropped', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, stranger] = await Promise.all([
      place.open(),
      place.open({ secrets: ['the secret of a stranger, 32 long.'] }),
    ])
    const { heard } = hear(one)
    await begin(one, [heard])
    await one.messages.post({ kind: 'once' })
    await hears(heard, 'once')
    const copy = `for _, entry in ipairs(${entries}) do redis.call('XADD', KEYS[1], '*', unpack(entry[2])) end`
    await place.server.cli('EVAL', copy, '1', 'test:1:{messages}')
    await stranger.messages.post({ kind: 'planted' })
    await place.server.cli('XADD', 'test:1:{messages}', '*', 'm', 'garbage', 'more', 'fields')
    await one.messages.post({ kind: 'end' })
    await hears(heard, 'end')
    assert.deepEqual(
      heard.filter((kind) => kind !== 'begin'),
      ['once', 'end'],
    )
  })

  test('a copy of what was told before a gate began is dropped', async (t) => {
    const place = await makeValkeyPlace(t)
    const one = await place.open()
    await one.messages.post({ kind: 'before' })
    await one.messages.post({ kind: 'last before' })
    const other = await place.open()
    const { heard } = hear(other)
    await begin(one, [heard])
    const copy = `redis.call('XADD', KEYS[1], '*', unpack(${entries}[1][2]))`
    await place.server.cli('EVAL', copy, '1', 'test:1:{messages}')
    await one.messages.post({ kind: 'end' })
    await hears(heard, 'end')
    assert.ok(!heard.includes('before'), heard.join(' '))
  })

  test('a message that the server got a minute after it was told is dropped', async (t) => {
    const place = await makeValkeyPlace(t)
    const late = `local now = redis.call('TIME')[1] * 1000 - 61000`
    const [one, delayed] = await Promise.all([place.open(), place.open({}, { luaTime: late })])
    const { heard } = hear(one)
    const reading = async (): Promise<boolean> =>
      (await place.server.cli('CLIENT', 'LIST')).split('cmd=xread').length === 3
    await until('both read', reading)
    await delayed.messages.post({ kind: 'late' })
    await one.messages.post({ kind: 'end' })
    await hears(heard, 'end')
    assert.deepEqual(heard, ['end'])
  })
})
