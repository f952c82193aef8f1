import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoreEngine } from '../../../../src/state/store-engine.ts'
import {
  beat,
  changeOf,
  makeEngine,
  nameOf,
  openEngine,
  troubleOf,
} from '../../../state/valkey/engine-place.ts'
import { moveSlots } from '../../../support/move-slots.ts'
import { until } from '../../../support/until.ts'
import { addToCluster, settingsFor, startCluster, type ValkeyServer } from '../../../support/valkey.ts'

const mode = { kind: 'cluster' } as const
const viewers = Array.from({ length: 40 }, (_, n) => nameOf(`viewer${n}`))
const changes = viewers.map((viewer) => changeOf(viewer))
/** Milliseconds; and what a busy machine may add. */
const DEADLINES = { beat: 300, read: 300, write: 600, open: 10_000 }
const SPARE = 1_000

/** Which viewers can be read, and the longest of their calls in milliseconds. */
async function readable(engine: StoreEngine): Promise<{ found: readonly string[]; longest: number }> {
  let longest = 0
  const found = await Promise.all(
    viewers.map(async (viewer) => {
      const began = performance.now()
      const trouble = await troubleOf(engine.list(viewer))
      longest = Math.max(longest, performance.now() - began)
      return trouble === 'fine' ? [viewer] : []
    }),
  )
  return { found: found.flat(), longest }
}

async function untilAll(engine: StoreEngine): Promise<void> {
  await until(
    'all can be written',
    async () => {
      // While no server is heard, nothing is tried.
      if ((await troubleOf(engine.list(nameOf('viewer0')))) !== 'fine') return false
      return (await engine.write(changes)).every(({ kind }) => kind === 'written')
    },
    20_000,
  )
}

// One after the other: a cluster takes its time to form.
test('a cluster of three servers', async (t) => {
  const servers = (await startCluster(t)) as [ValkeyServer, ValkeyServer, ValkeyServer]
  const engine = await openEngine(t, settingsFor(servers, { mode }), DEADLINES)
  await untilAll(engine)
  const [first, second] = servers

  await t.test('one of the servers in STATE_URL is enough, and keys are spread', async (t) => {
    await openEngine(t, settingsFor(servers.slice(0, 1), { mode }))
    for (const server of servers) assert.ok(Number(await server.cli('DBSIZE')) > 8)
  })

  for (const [what, begin, end] of [
    ['dies', () => second.kill(), () => second.restart()],
    ['says nothing', async () => second.pause(), async () => second.goOn()],
  ] as const)
    await t.test(`when one of three ${what}, what the others hold goes on, each call in time`, async (t) => {
      const before = (await readable(engine)).found.length
      assert.equal(before, viewers.length)
      await begin()
      const { found, longest } = await readable(engine)
      assert.ok(found.length > 12 && found.length < 38, `${found.length}`)
      assert.ok(longest < DEADLINES.read + SPARE, `${longest} ms`)
      const outcomes = await engine.write(changes)
      for (const [at, viewer] of viewers.entries())
        assert.equal(outcomes[at]?.kind, found.includes(viewer) ? 'written' : 'failed')
      const late = makeEngine(settingsFor(servers, { mode }), { ...DEADLINES, open: 3_000 })
      t.after(() => late.close())
      // Where the heartbeat lies on that server, it is told and nothing else.
      const opened = await troubleOf(late.open())
      assert.equal(opened, await troubleOf(beat(engine)))
      if (opened === 'fine') assert.deepEqual((await readable(late)).found, found)
      await end()
      await untilAll(engine)
    })

  await t.test('when all die at once, they are used again when they are back', async () => {
    await Promise.all(servers.map((server) => server.kill()))
    assert.deepEqual((await readable(engine)).found, [])
    await Promise.all(servers.map((server) => server.restart()))
    await untilAll(engine)
  })

  // The last one: slots stay with a server that ends with it.
  await t.test('slots that move to another server, or are on their way, are followed', async (t) => {
    const target = await addToCluster(t, servers)
    const finish = await moveSlots(first, target, servers)
    assert.equal((await readable(engine)).found.length, viewers.length)
    await finish()
    await untilAll(engine)
    assert.ok(Number(await target.cli('DBSIZE')) > 8)
    for (const viewer of viewers) assert.equal((await engine.list(viewer)).length, 1)
  })
})
