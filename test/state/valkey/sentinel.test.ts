import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../support/until.ts'
import { settingsFor, startWithSentinels } from '../../support/valkey.ts'
import { makeRecord, makeWrite } from '../records.ts'
import { startLink } from './record-link.ts'
import { makeStore } from './valkey-place.ts'

const { viewer } = makeRecord()

describe('a server with a replica and Sentinels', { concurrency: 3 }, () => {
  test('when the primary dies, the replica is used as soon as the Sentinels promote it', async (t) => {
    const { primary, replica, sentinels } = await startWithSentinels(t, 3)
    const mode = { kind: 'sentinel', name: 'test' } as const
    const settings = settingsFor([primary], { mode, nodes: sentinels })
    const store = makeStore(settings)
    const { link, told, tells } = await startLink(t, store)
    await store.write([makeWrite()])
    await until('it is replicated', async () => (await replica.cli('DBSIZE')) !== '0')
    await until('the keys are there', async () => (await replica.cli('KEYS', 'test:1:v*')) !== '')
    await primary.kill()
    await tells('refused')
    await until('the replica is used', () => link.state().usable, 20_000)
    assert.deepEqual(await store.recall(viewer), [makeRecord()])
    assert.deepEqual(await store.write([makeWrite({ id: 'b' })]), [])
    assert.ok(!told.includes('forgotten'), told.join(' '))
  })

  test('a name that the Sentinels do not know is told, with the cure', async (t) => {
    const { primary, sentinels } = await startWithSentinels(t, 1)
    const mode = { kind: 'sentinel', name: 'other' } as const
    const { link } = await startLink(t, makeStore(settingsFor([primary], { mode, nodes: sentinels })), 500)
    await until('it is told', () => link.state().message !== undefined)
    assert.match(link.state().message ?? '', /STATE_MODE/)
  })

  test('of several Sentinels one that answers is enough', async (t) => {
    const { primary, sentinels } = await startWithSentinels(t, 1)
    const mode = { kind: 'sentinel', name: 'test' } as const
    const nodes = [{ kind: 'tcp', host: '127.0.0.1', port: 1 } as const, ...sentinels]
    const { link } = await startLink(t, makeStore(settingsFor([primary], { mode, nodes })))
    assert.equal(link.state().usable, true)
  })
})
