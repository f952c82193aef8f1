import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { StoreEngine } from '../../../src/state/store-engine.ts'
import type { Scope } from '../../support/scope.ts'
import { settingsFor, startValkey, type ValkeyServer } from '../../support/valkey.ts'
import { beat, changeOf, nameOf, openEngine, troubleOf, untilBeat } from './engine-place.ts'
import { useAll } from './use-all.ts'

const [viewer, user, cookie] = [nameOf('viewer'), nameOf('user'), nameOf('cookie')]
const value = Buffer.from('value')

async function start(scope: Scope): Promise<{ server: ValkeyServer; one: StoreEngine; two: StoreEngine }> {
  const server = await startValkey(scope, { unix: true })
  const [one, two] = await Promise.all([
    openEngine(scope, settingsFor([server])),
    openEngine(scope, settingsFor([server])),
  ])
  return { server, one, two }
}

/** What is lost is told, and what was written by somebody with the password ends with the next write. */
describe('somebody who writes into Valkey, or empties it', { concurrency: 4 }, () => {
  test('puts a key of another type in the place of each: it is written over, and all goes on', async (t) => {
    const { server, one } = await start(t)
    const { keys } = one
    const all = [keys.identity, keys.counter, keys.gates, keys.wide, keys.inbox(one.gate)]
    const own = [keys.viewer(viewer), keys.session(viewer, 'one'), keys.user(user), keys.userMark(user)]
    for (const key of [...all, ...own, keys.cookie(cookie)]) await server.cli('XADD', key, '*', 'm', 'x')
    assert.deepEqual(await one.list(viewer), [])
    assert.equal(await one.readUser(user), undefined)
    assert.deepEqual(await one.viewersOf(cookie), [])
    assert.deepEqual(await one.marksOf([user]), [undefined])
    assert.equal(await one.wide(), undefined)
    assert.equal(await troubleOf(beat(one)), 'fine')
    assert.deepEqual(await one.write([changeOf(viewer)]), [{ kind: 'written' }])
    assert.equal((await one.read(viewer, ['one']))[0]?.toString(), 'value')
    assert.equal(await one.replaceUser(user, undefined, value, 60_000), true)
    await one.markUser(user, 1, value, 60_000)
    await one.addCookie(cookie, viewer, 60_000)
    assert.deepEqual(await one.viewersOf(cookie), [viewer])
    assert.equal(await one.replaceWide(0, value, 60_000), true)
    assert.deepEqual(await one.post([{ gate: one.gate, value }]), [1])
    assert.equal((await one.identify({ name: nameOf('store'), key: value })).name, nameOf('store'))
    await useAll(one)
  })

  test('sets the counter beyond all numbers: it is what the gates know', async (t) => {
    const { server, one, two } = await start(t)
    await one.beat({ entry: value, number: 7, have: 0, most: 1 })
    for (const odd of ['9007199254740993', '1e300', 'inf', 'nan', '-5', 'x']) {
      await server.cli('SET', one.keys.counter, odd)
      assert.equal((await two.beat({ entry: value, number: 7, have: 0, most: 1 })).number, 7, odd)
      assert.equal(await one.nextNumber(7), 8, odd)
    }
  })

  test('writes into an inbox: what does not fit together is thrown away, and it is told as cut', async (t) => {
    const { server, one, two } = await start(t)
    await one.post([
      { gate: two.gate, value },
      { gate: two.gate, value },
    ])
    assert.equal((await beat(two)).letters.length, 2)
    await server.cli('HSET', two.keys.inbox(two.gate), 'l', '999999999999')
    const pulse = await beat(two, 2)
    assert.deepEqual([pulse.letters, pulse.cut], [[], true])
    assert.deepEqual([(await beat(two, 2)).cut, await one.post([{ gate: two.gate, value }])], [false, [3]])
  })

  test('writes into the list of a viewer: nobody reads it as a session', async (t) => {
    const { server, one } = await start(t)
    await one.write([changeOf(viewer)])
    const key = one.keys.viewer(viewer)
    const own = await server.cli('GET', key)
    for (const odd of ['x\n:::::\nzz:1:p', '', ':', '1:1:1:1', 'ffffffffffff:1:1:1\n'])
      for (const text of [odd, own + odd, odd + own]) {
        await server.cli('SET', key, text)
        assert.deepEqual(await one.write([changeOf(viewer, { id: 'two' })]), [{ kind: 'written' }])
        const listed = await one.list(viewer)
        assert.ok(
          listed.some(({ id }) => id === 'two'),
          text,
        )
        assert.ok(
          listed.every(({ id, change }) => /^(?:one|two)$/.test(id) && Number.isSafeInteger(change)),
          text,
        )
      }
  })

  test('empties it: the next heartbeat tells no name, and an inbox that was lost is told as cut, once', async (t) => {
    const { server, one, two } = await start(t)
    await one.identify({ name: nameOf('store'), key: value })
    await one.post([{ gate: two.gate, value }])
    assert.equal((await beat(two)).store, nameOf('store'))
    await beat(two, 1)
    await server.cli('FLUSHALL')
    const pulse = await two.beat({ entry: value, number: 12, have: 1, most: 1 })
    assert.deepEqual([pulse.store, pulse.number, pulse.cut], [undefined, 12, true])
    assert.deepEqual((await beat(two, 1)).cut, false)
    // No number is given twice: the letter is not taken for the one that it has.
    assert.deepEqual(await one.post([{ gate: two.gate, value }]), [2])
    assert.deepEqual(
      (await beat(two, 1)).letters.map(({ number }) => number),
      [2],
    )
  })

  test('empties it, and a letter comes first: its number is none that the gate has seen', async (t) => {
    const { server, one, two } = await start(t)
    await server.cli('FLUSHALL')
    assert.deepEqual(await one.post([{ gate: two.gate, value }]), [1])
    const pulse = await beat(two, 5)
    assert.deepEqual([pulse.letters, pulse.cut], [[], true])
    assert.deepEqual(await one.post([{ gate: two.gate, value }]), [6])
    const { letters, cut } = await beat(two, 5)
    assert.deepEqual([letters.map(({ number }) => number), cut], [[6], false])
  })

  test('a letter of more than ten minutes goes when another one comes, and it is told as cut', async (t) => {
    const { server, one, two } = await start(t)
    await one.post([{ gate: two.gate, value }])
    const { time } = await beat(one)
    await server.cli('HSET', one.keys.inbox(two.gate), '1', `${time - 601_000}:value`)
    await one.post([{ gate: two.gate, value }])
    const { letters, cut } = await beat(two)
    assert.deepEqual([letters.map(({ number }) => number), cut], [[2], true])
  })

  test('each key has its time', async (t) => {
    const { server, one } = await start(t)
    await useAll(one)
    await beat(one)
    await one.post([{ gate: one.gate, value }])
    const keys = (await server.cli('KEYS', '*')).split('\n')
    assert.ok(keys.length > 8)
    // -1: none at all. Some are gone by now.
    for (const key of keys) assert.notEqual(await server.cli('PTTL', key), '-1', key)
  })

  test('a gate that is not heard of any more leaves the roster, whatever the clock did', async (t) => {
    const { server, one, two } = await start(t)
    await beat(one)
    const [seconds = ''] = (await server.cli('TIME')).split('\n')
    const at = (ago: number): string => `${(Number(seconds) - ago) * 1_000}:0:about`
    await server.cli('HSET', one.keys.gates, 'gone', at(601), 'there', at(500), 'ahead', at(-600))
    assert.deepEqual((await two.roster()).map(({ gate }) => gate).sort(), [one.gate, 'ahead', 'there'].sort())
    assert.equal(await server.cli('HGET', one.keys.gates, 'gone'), '')
  })

  test('kills connections again and again: it is used again each time', async (t) => {
    const { server, one } = await start(t)
    for (let turn = 0; turn < 5; turn += 1) {
      await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await delay(20)
      await untilBeat(one, 'fine')
    }
  })
})
