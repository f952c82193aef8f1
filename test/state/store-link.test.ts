import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type StoreEngine, StoreError } from '../../src/state/store-engine.ts'
import { createStoreLink, type StoreLink, type StoreState } from '../../src/state/store-link.ts'
import { createVault } from '../../src/state/vault.ts'
import { createMemoryPlace } from '../support/memory-engine.ts'
import { createPretendTime } from '../support/pretend-time.ts'

const SECOND = 1_000
const broken = new StoreError('failed', 'its disk reports an error')

/** A store that is written to each second. While `fails` each write breaks it until it is opened again. */
async function startWritten() {
  const time = createPretendTime()
  const memory = createMemoryPlace(time.clock).create()
  const told: string[] = []
  let opened = 0
  let fails = false
  let isBroken = false
  const engine: StoreEngine = {
    ...memory,
    async open() {
      opened += 1
      isBroken = false
      return await memory.open()
    },
    async beat(beat) {
      if (isBroken) throw broken
      return await memory.beat(beat)
    },
    async write(changes) {
      isBroken = fails
      if (fails) throw broken
      return await memory.write(changes)
    },
  }
  const link: StoreLink = createStoreLink({
    ...{ engine, vault: createVault([], 'one', engine.keys), clock: { now: time.clock, offset: 0 } },
    ...{ after: time.after, about: () => '', prepare: async () => {}, onWide: async () => {} },
    ...{ onOpened() {}, onForgotten() {}, onStepped() {}, onLetter() {}, onCut() {}, onSetAside() {} },
    onCommand() {},
    onChange: ({ usable, trouble }: StoreState, lasted) =>
      void told.push(`${usable} ${trouble ?? 'well'} ${Math.round(lasted / SECOND)} s`),
  })
  void link.start(SECOND)
  const write = (): void => {
    void link.use('write', (open) => open.write([]))
    time.after(SECOND, write)
  }
  write()
  await time.pass(20 * SECOND)
  return {
    ...{ link, told },
    pass: time.pass,
    opened: () => opened,
    breaks(next: boolean) {
      fails = next
    },
  }
}

describe('a store', () => {
  test('that breaks at each write is opened ever less often, until it was well for ten seconds', async () => {
    const store = await startWritten()
    const openedIn = async (milliseconds: number): Promise<number> => {
      const before = store.opened()
      await store.pass(milliseconds)
      return store.opened() - before
    }
    assert.equal(store.opened(), 1)
    store.breaks(true)
    // After 1, 2, 4 and 8 s, then every 10 s; each lives for up to a second.
    assert.equal(await openedIn(20 * SECOND), 4)
    assert.ok((await openedIn(100 * SECOND)) <= 10)
    store.breaks(false)
    await store.pass(30 * SECOND)
    assert.equal(store.link.state().usable, true)
    store.breaks(true)
    assert.equal(await openedIn(6 * SECOND), 2)
  })

  test('that does not take what is written says so, once, and until five seconds after the last time', async () => {
    const { link, told, pass } = await startWritten()
    for (const trouble of ['refused', 'timeout', 'refused'] as const) {
      link.warn(new StoreError(trouble, 'one of its servers is away'))
      await pass(4 * SECOND)
    }
    assert.deepEqual(told, ['true refused 0 s'])
    assert.deepEqual([link.state().usable, link.state().trouble], [true, 'refused'])
    await pass(2 * SECOND)
    assert.deepEqual(told, ['true refused 0 s', 'true well 13 s'])
    assert.equal(link.state().trouble, undefined)
  })
})
