import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slotOf } from '../../../../src/state/valkey/key-slot.ts'
import { allOf } from '../../../state/conformance.ts'
import { makeWrite } from '../../../state/records.ts'
import { startLink } from '../../../state/valkey/record-link.ts'
import { useAll } from '../../../state/valkey/use-all.ts'
import { makeStore } from '../../../state/valkey/valkey-place.ts'
import { until } from '../../../support/until.ts'
import {
  addToCluster,
  portOf,
  settingsFor,
  startCluster,
  type ValkeyServer,
} from '../../../support/valkey.ts'

const mode = { kind: 'cluster' } as const
const viewers = Array.from({ length: 60 }, (_, n) => `viewer ${n}`)
const writes = viewers.map((viewer, n) => makeWrite({ viewer, id: `s${n}` }))

/** Moves a slot with all its keys, or leaves it on its way when all keys have moved. */
async function move(
  slot: number,
  from: ValkeyServer,
  to: ValkeyServer,
  how: 'moved' | 'moving',
): Promise<void> {
  const [fromId, toId] = await Promise.all([from, to].map((server) => server.cli('CLUSTER', 'MYID')))
  await to.cli('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId ?? '')
  await from.cli('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId ?? '')
  const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')).split('\n').filter(Boolean)
  if (keys.length > 0)
    await from.cli('MIGRATE', '127.0.0.1', String(portOf(to.address)), '', '0', '5000', 'KEYS', ...keys)
  if (how === 'moving') return
  for (const server of [to, from]) await server.cli('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId ?? '')
}

// One after the other: a cluster takes its time to form.
test('a cluster of three servers', async (t) => {
  const servers = (await startCluster(t)) as [ValkeyServer, ValkeyServer, ValkeyServer]

  await t.test(
    'keys are spread, each server is watched by itself, and a walk sees all records',
    async (t) => {
      const { link } = await startLink(
        t,
        makeStore(settingsFor(servers.slice(0, 1), { mode, prefix: 'spread:' })),
      )
      await until('all are usable', () => link.state().nodes?.filter(({ usable }) => usable).length === 3)
      assert.deepEqual(await link.use('write', (store) => store.write(writes)), [])
      for (const server of servers) assert.ok(Number(await server.cli('DBSIZE')) > 8)
      const all = await link.use('slice', (store) => allOf(store))
      assert.deepEqual(
        all?.writes.map(({ record }) => record.id).sort(),
        writes.map(({ record }) => record.id).sort(),
      )
    },
  )

  await t.test('all that a gate does works in a cluster', async (t) => {
    const store = makeStore(settingsFor(servers, { mode, prefix: 'all:' }))
    t.after(() => store.close())
    await store.open()
    await useAll(store)
  })

  await t.test('a gate that starts while one of three is away uses the others', async (t) => {
    // The marks are there.
    const slots = [0, 5_461, 10_923, 16_384]
    const holder = slots.findLastIndex((first) => first <= slotOf('starts:1:{marks}'))
    servers[holder]?.pause()
    const seeds = servers.filter((_, n) => n !== holder)
    const { link } = await startLink(
      t,
      makeStore(settingsFor(seeds, { mode, prefix: 'starts:', timeout: 400 })),
    )
    assert.equal(link.state().usable, true)
    assert.ok(viewers.some((viewer) => link.isUsable(viewer)))
    assert.ok(viewers.some((viewer) => !link.isUsable(viewer)))
    servers[holder]?.goOn()
    await until('all are usable', () => viewers.every((viewer) => link.isUsable(viewer)))
  })

  await t.test(
    'when one of three dies, what the others hold goes on; it is used again when it is back',
    async (t) => {
      const store = makeStore(settingsFor(servers, { mode, prefix: 'dies:' }))
      const { link, told, tells } = await startLink(t, store)
      await until(
        'all are usable',
        () => store.nodes().length === 3 && store.nodes().every(({ usable }) => usable),
      )
      await store.write(writes)
      const [first] = servers
      await first.kill()
      await tells('refused')
      assert.equal(link.state().usable, true)
      const usable = viewers.filter((viewer) => link.isUsable(viewer))
      assert.ok(usable.length > 20 && usable.length < 55, `${usable.length}`)
      for (const viewer of usable) assert.equal((await store.recall(viewer)).length, 1)
      const notDone = await store.write(writes)
      assert.equal(notDone.length, viewers.length - usable.length)
      assert.ok(notDone.every(({ why }) => why === 'away'))
      await assert.rejects(allOf(store), { name: 'StoreError' })
      await first.restart()
      await tells('usable')
      await tells('forgotten')
      assert.deepEqual(await store.write(writes), [])
      assert.equal(told.filter((one) => one === 'refused').length, 1, told.join(' '))
    },
  )

  // The last one: a slot stays on its way to a server that ends with it.
  await t.test('a slot that moves to another server, or is on its way, is followed', async (t) => {
    const store = makeStore(settingsFor(servers, { mode, prefix: 'moves:' }))
    t.after(() => store.close())
    await store.open()
    await store.write(writes)
    const [first, second] = servers
    const empty = await addToCluster(t, servers)
    const keys = (await first.cli('--scan', '--pattern', 'moves:1:v*')).split('\n')
    const slots = [...new Set(keys.map((key) => slotOf(key)))]
    const ways = [
      [second, 'moved'],
      [second, 'moving'],
      [empty, 'moving'],
    ] as const
    await Promise.all(ways.map(([to, how], n) => move(slots[n] ?? 0, first, to, how)))
    for (const viewer of viewers) assert.equal((await store.recall(viewer)).length, 1, viewer)
    assert.deepEqual(await store.write(writes), [])
    for (const viewer of viewers) assert.equal((await store.recall(viewer)).length, 1, viewer)
  })
})
