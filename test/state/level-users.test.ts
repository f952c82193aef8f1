import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeLevelPlace } from './level-place.ts'
import { withLevel } from './open-level.ts'

describe('the text of a user in a folder', () => {
  test('is compared and set, and outlives the process', async (t) => {
    const place = makeLevelPlace(t)
    const store = place.create()
    await store.open()
    assert.equal(await store.users.read('a\nanna'), undefined)
    const first = await store.users.write('a\nanna', 'one', undefined, 60_000)
    assert.ok(first)
    assert.deepEqual(await store.users.read('a\nanna'), first)
    const second = await store.users.write('a\nanna', 'two', first, 60_000)
    assert.ok(second)
    assert.equal(await store.users.write('a\nanna', 'late', first, 60_000), undefined)
    assert.equal(await store.users.write('a\nanna', 'late', undefined, 60_000), undefined)
    await store.close()
    const next = place.create()
    await next.open()
    assert.equal((await next.users.read('a\nanna'))?.text, 'two')
    assert.equal(await next.users.read('bert'), undefined)
    await next.close()
  })

  test('goes after its time, and the sweep removes it', async (t) => {
    const place = makeLevelPlace(t)
    const store = place.create()
    await store.open()
    await store.users.write('anna', 'text', undefined, 1_000)
    assert.ok((await store.slice(undefined, 100)).bytes > 0)
    place.pass(1_001)
    assert.equal(await store.users.read('anna'), undefined)
    await store.slice(undefined, 100)
    await store.close()
    await withLevel(place, async (level) =>
      assert.ok(!(await level.keys().all()).some((key) => key.startsWith('u'))),
    )
  })

  test('is sealed where there is a secret, and goes on while that is rotated', async (t) => {
    const place = makeLevelPlace(t)
    const [older, newer] = ['older secret of 32 characters....', 'newer secret of 32 characters....']
    const open = async (secrets: readonly string[]) => {
      const store = place.create({ secrets })
      await store.open()
      return store
    }
    const one = await open([older])
    await one.users.write('anna', 'a text in clear', undefined, 60_000)
    await one.close()
    await withLevel(place, async (level) => {
      for (const value of await level.values().all()) assert.ok(!value.includes('a text in clear'))
    })
    const both = await open([newer, older])
    const read = await both.users.read('anna')
    assert.equal(read?.text, 'a text in clear')
    assert.ok(await both.users.write('anna', 'newer', read, 60_000))
    await both.close()
    const two = await open([newer])
    assert.equal((await two.users.read('anna'))?.text, 'newer')
    await two.close()
  })
})
