import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Registry } from 'prom-client'
import { readAtScrape } from '../../src/metrics/read-at-scrape.ts'
import { createStoreMetrics } from '../../src/metrics/store-metrics.ts'
import { storeTroubles } from '../../src/state/record-store.ts'
import { type StoreState, storeCommands } from '../../src/state/store-link.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { readMetrics, startScrapedGate } from '../support/scrape.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const ofStore = /^alta_auth_(?:state_|sessions_(?:adopted|resumed)_)/

describe('the metrics of the store', () => {
  test('are not there without one', async (t) => {
    const backend = await startBackend(t)
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, STATE_URL: 'off' })
    const { types } = await gate.scrape()
    assert.deepEqual(
      [...types.keys()].filter((name) => ofStore.test(name)),
      [],
    )
  })

  test('are all there from the start, so that the first of each is seen as a rise', async (t) => {
    const backend = await startBackend(t)
    const folder = join(makeTemporaryFolder(t), 'state')
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, STATE_URL: `file:${folder}` })
    const now = await gate.scrape()
    assert.equal(now.value('alta_auth_state_usable'), 1)
    for (const why of storeTroubles) assert.equal(now.value('alta_auth_state_failures_total', { why }), 0)
    for (const command of storeCommands)
      assert.ok(now.value('alta_auth_state_seconds_count', { command }) >= (command === 'open' ? 1 : 0))
    for (const name of ['state_timeouts_total', 'sessions_adopted_total', 'sessions_resumed_total'])
      assert.equal(now.value(`alta_auth_${name}`), 0)
    for (const reason of ['adopted', 'resumed'])
      assert.equal(now.value('alta_auth_decisions_total', { source: 'session', reason }), 0)
  })

  test('count what a restart takes over', async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    const settings = {
      BACKEND_URL: backend.url,
      STATE_URL: `file:${join(makeTemporaryFolder(t), 'state')}`,
      SESSION_IDLE: '10m',
    }
    const first = await startScrapedGate(t, settings)
    await askGate(first.port, { uri: '/live/news/index.m3u8?token=good' })
    await first.service.stop()
    const second = await startScrapedGate(t, settings)
    for (const name of ['1.ts', '2.ts']) await askGate(second.port, { uri: `/live/news/${name}` })
    const now = await second.scrape()
    now.shows(`
      sessions_adopted_total 1; sessions_resumed_total 0; sessions_opened_total 0
      decisions_total reason=adopted 1; decisions_total reason=riding 1`)
    assert.ok(now.value('alta_auth_state_seconds_count', { command: 'recall' }) >= 1)
  })

  test('count what goes on after a pause', async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    const gate = await startScrapedGate(t, {
      BACKEND_URL: backend.url,
      STATE_URL: `file:${join(makeTemporaryFolder(t), 'state')}`,
      SESSION_IDLE: '1s',
    })
    await askGate(gate.port, { uri: '/live/news/index.m3u8?token=good' })
    await until(
      'the session to be silent',
      async () => (await gate.scrape()).value('alta_auth_sessions', { kind: 'live' }) === 0,
      30_000,
    )
    assert.equal((await askGate(gate.port, { uri: '/live/news/1.ts' })).reason, 'resumed')
    const now = await gate.scrape()
    now.shows('sessions_resumed_total 1; sessions_opened_total 2; decisions_total reason=resumed 1')
  })

  test('count looks that took longer than STATE_TIMEOUT, and failures by why, in seconds', async () => {
    const registry = new Registry()
    const state = { usable: true, since: 0 }
    const store = { state: () => state, timeout: 100, waiting: () => 3, bytes: () => 5_000 }
    const metrics = createStoreMetrics(store, readAtScrape(registry))
    metrics.commanded('recall', 100, undefined)
    metrics.commanded('recall', 101, undefined)
    metrics.commanded('recall', 1_000, 'timeout')
    metrics.commanded('write', 2_000, 'timeout')
    metrics.commanded('write', 3, 'full')
    const now = readMetrics(await registry.metrics())
    now.shows(`
      state_timeouts_total 2; state_failures_total why=timeout 2; state_failures_total why=full 1
      state_seconds_sum command=recall 1.201; state_seconds_bucket command=write le=0.005 1
      state_bytes 5000; state_waiting 3`)
  })
})

test('of a store that gates share each server has its own value', async () => {
  const node = (name: string, usable: boolean) => ({ name, usable, since: 0 })
  let state: StoreState = { usable: true, since: 0, nodes: [node('a:1', true), node('b:2', true)] }
  const values = async (): Promise<string[]> => {
    const registry = new Registry()
    const store = { state: () => state, timeout: 100, waiting: () => 0, bytes: () => 0 }
    createStoreMetrics(store, readAtScrape(registry))
    const { series } = readMetrics(await registry.metrics())
    const usable = series.filter(({ name }) => name === 'alta_auth_state_usable')
    return usable.map(({ labels, value }) => `${labels['node']} ${value}`)
  }
  assert.deepEqual(await values(), ['a:1 1', 'b:2 1'])
  state = { ...state, nodes: [node('a:1', true), node('b:2', false)] }
  assert.deepEqual(await values(), ['a:1 1', 'b:2 0'])
  // As while it is opened: no server is at fault.
  state = { usable: false, since: 0, nodes: [node('a:1', true), node('b:2', true)] }
  assert.deepEqual(await values(), ['a:1 0', 'b:2 0'])
})
