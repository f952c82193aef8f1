import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startEdges } from '../../support/edges.ts'
import { forSuite } from '../../support/scope.ts'
import { startValkey } from '../../support/valkey.ts'
import { storeOf } from '../../support/valkey-settings-of.ts'
import { startWanderingViewers } from '../../support/wandering-viewers.ts'

/** How many change edges, and how many are equal. */
const WANDERERS = Number(process.env['WANDERERS'] ?? 1_000)
const EQUALS = Number(process.env['EQUALS'] ?? 300)
/** Written behind within 100 ms, and a busy machine may be late; milliseconds. */
const WRITTEN = 1_000

describe('two edges share their sessions', { timeout: 600_000 }, () => {
  const site = forSuite(async (scope) => {
    const valkey = await startValkey(scope)
    const store = storeOf(valkey)
    // A busy machine is no slow store: the backend would be asked beside it.
    return startEdges(scope, [store, store], { STATE_TIMEOUT: '1s' })
  })

  test(`${WANDERERS} viewers with dead tokens change edges with each request, and nobody is refused or asked about`, async (t) => {
    const viewers = startWanderingViewers(t, site, { count: WANDERERS })
    const asked = site.backend.asked.length
    assert.deepEqual(await viewers.open(), { 200: WANDERERS })
    await delay(WRITTEN)
    for (const other of [1, 0, 1, 0] as const) {
      const { 200: served = 0, ...refused } = await viewers.round((n) =>
        n % 2 === 0 ? other : other === 0 ? 1 : 0,
      )
      assert.deepEqual(refused, {})
      assert.ok(served >= WANDERERS)
    }
    // Both edges at once.
    const both = await Promise.all([viewers.round(() => 0), viewers.round(() => 1)])
    for (const { 200: _served, ...refused } of both) assert.deepEqual(refused, {})
    assert.equal(site.backend.asked.length - asked, WANDERERS, 'no further question')
  })

  test(`${EQUALS} equal boxes behind one address play on while a gate restarts`, async (t) => {
    const boxes = startWanderingViewers(t, site, { count: EQUALS, equal: true, name: 'hotel' })
    const asked = site.backend.asked.length
    assert.deepEqual(await boxes.open(), { 200: EQUALS })
    await delay(WRITTEN)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const [{ gate }] = site.edges
      await gate.restart(signal)
      assert.deepEqual(await boxes.round(() => 0), { 200: EQUALS }, signal)
    }
    assert.deepEqual(await boxes.round(() => 1), { 200: EQUALS }, 'at the other edge')
    assert.equal(site.backend.asked.length - asked, EQUALS, 'no further question')
  })
})
