import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UserText } from '../../../src/state/user-texts.ts'
import type { ValkeyStore } from '../../../src/state/valkey/valkey-store.ts'
import { makeValkeyPlace } from './valkey-place.ts'

describe('users that gates share', { concurrency: 4 }, () => {
  test('16 changers at two gates at once lose no change', async (t) => {
    const place = await makeValkeyPlace(t)
    const gates = await Promise.all([place.open(), place.open()])
    const add = async ({ users }: ValkeyStore, own: string): Promise<void> => {
      for (;;) {
        const before: UserText | undefined = await users.read('anna')
        const all = before === undefined ? [] : (JSON.parse(before.text) as string[])
        if (await users.write('anna', JSON.stringify([...all, own]), before, 60_000)) return
      }
    }
    const rounds = 20
    const changers = Array.from({ length: 16 }, async (_, n) => {
      for (let round = 0; round < rounds; round += 1) await add(gates[n % 2] as ValkeyStore, `${n}-${round}`)
    })
    await Promise.all(changers)
    const all = JSON.parse((await gates[0].users.read('anna'))?.text ?? '') as string[]
    assert.equal(all.length, 16 * rounds)
    assert.equal(new Set(all).size, 16 * rounds)
  })

  test('who comes second changes nothing, and a version is that of one write', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open(), place.open()])
    assert.equal(await one.users.read('anna'), undefined)
    const first = await one.users.write('anna', 'same', undefined, 60_000)
    assert.deepEqual(await other.users.read('anna'), first)
    const second = await one.users.write('anna', 'same', first, 60_000)
    assert.ok(second)
    assert.equal(await other.users.write('anna', 'other', first, 60_000), undefined)
    assert.deepEqual(await other.users.read('anna'), second)
    assert.equal(await one.users.read('bert'), undefined)
  })

  test('a value goes after its time, and its change then begins anew', async (t) => {
    const place = await makeValkeyPlace(t)
    const { users } = await place.open()
    const first = await users.write('anna', 'text', undefined, 1)
    assert.ok(first)
    while ((await users.read('anna')) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(await users.write('anna', 'text', first, 60_000), undefined)
  })

  test('a value that cannot be opened is empty, and can be replaced', async (t) => {
    const place = await makeValkeyPlace(t)
    const { users } = await place.open()
    await users.write('anna', 'text', undefined, 60_000)
    await place.server.cli('SET', await place.server.cli('--scan', '--pattern', 'test:1:u*'), 'planted')
    const read = await users.read('anna')
    assert.equal(read?.text, '')
    assert.ok(await users.write('anna', 'text', read, 60_000))
    assert.equal((await users.read('anna'))?.text, 'text')
  })
})
