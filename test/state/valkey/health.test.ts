import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import { settingsFor, startValkey } from '../../support/valkey.ts'
import { makeRecord, makeWrite } from '../records.ts'
import { startLink } from './record-link.ts'
import { makeStore, makeValkeyPlace } from './valkey-place.ts'

const { viewer } = makeRecord()

describe('the health of a server', { concurrency: 4 }, () => {
  test('it is usable from the first heartbeat on, and only the opening is told', async (t) => {
    const server = await startValkey(t, { unix: true })
    const { link, told } = await startLink(t, makeStore(settingsFor([server])))
    assert.deepEqual(told, ['opened'])
    assert.equal(link.state().usable, true)
    assert.deepEqual(
      link.state().nodes?.map(({ usable }) => usable),
      [true],
    )
    assert.deepEqual(await link.use('recall', (store) => store.recall(viewer)), [])
  })

  test('a server that says nothing is unusable within STATE_TIMEOUT of a heartbeat, and usable again at its answer', async (t) => {
    const server = await startValkey(t, { unix: true })
    const timeout = 300
    const { link, told, tells } = await startLink(t, makeStore(settingsFor([server], { timeout })))
    const paused = performance.now()
    server.pause()
    await tells('timeout')
    const took = performance.now() - paused
    // The heartbeat before may have been answered just before.
    assert.ok(took < timeout + 250 + 400, `${took}`)
    assert.equal(link.isUsable(viewer), false)
    const began = performance.now()
    assert.equal(await link.use('recall', (store) => store.recall(viewer)), undefined)
    assert.ok(performance.now() - began < 50)
    server.goOn()
    await tells('usable')
    assert.equal(link.isUsable(viewer), true)
    assert.deepEqual(told, ['opened', 'timeout', 'usable', 'opened'])
  })

  test('a command that is late makes it unusable at once', async (t) => {
    const server = await startValkey(t, { unix: true })
    const { link, told, tells } = await startLink(t, makeStore(settingsFor([server], { timeout: 400 })))
    await delay(20)
    server.pause()
    const began = performance.now()
    assert.equal(await link.use('recall', (store) => store.recall(viewer)), undefined)
    assert.ok(performance.now() - began >= 390)
    assert.equal(link.isUsable(viewer), false)
    server.goOn()
    await tells('usable')
    assert.deepEqual(told, ['opened', 'timeout', 'usable', 'opened'])
  })

  test('after a silence of more than 3 s the connection is made anew', async (t) => {
    const server = await startValkey(t, { unix: true })
    const { tells } = await startLink(t, makeStore(settingsFor([server], { timeout: 200 })))
    const connections = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(await server.cli('INFO', 'stats'))?.[1])
    const before = await connections()
    server.pause()
    await tells('timeout')
    await delay(3_300)
    server.goOn()
    await tells('usable')
    // One of each look, one of the heartbeats and one of the messages.
    assert.ok((await connections()) >= before + 3)
  })

  test('FLUSHALL is noticed, and all is to be told again', async (t) => {
    const server = await startValkey(t, { unix: true })
    const { told, tells } = await startLink(t, makeStore(settingsFor([server])))
    await server.cli('FLUSHALL')
    await tells('forgotten')
    await delay(600)
    assert.deepEqual(told, ['opened', 'forgotten'])
  })

  test('a server that died is refused, and one that comes back empty has forgotten', async (t) => {
    const server = await startValkey(t)
    const store = makeStore(settingsFor([server]))
    const { link, told, states, tells } = await startLink(t, store)
    await link.use('write', (open) => open.write([makeWrite()]))
    await server.kill()
    await tells('refused')
    assert.match(states[0]?.message ?? '', /^Valkey at 127\.0\.0\.1:\d+: .*; /)
    await server.restart()
    await tells('usable')
    await tells('opened', 2)
    assert.deepEqual([...told].sort(), ['forgotten', 'opened', 'opened', 'refused', 'usable'])
    assert.deepEqual(await store.recall(viewer), [])
  })

  test('a server that is not there at the start is told of, and used when it comes', async (t) => {
    const server = await startValkey(t)
    await server.kill()
    const began = performance.now()
    const { link, told, tells } = await startLink(t, makeStore(settingsFor([server])), 500)
    assert.ok(performance.now() - began < 1_500)
    await tells('refused')
    assert.equal(link.state().trouble, 'refused')
    await server.restart()
    await tells('opened')
    assert.deepEqual(told, ['refused', 'usable', 'opened'])
  })

  test('a server that became a replica is read-only until it is promoted', async (t) => {
    const [server, other] = await Promise.all([startValkey(t), startValkey(t)])
    const { tells, link } = await startLink(t, makeStore(settingsFor([server])))
    const port = other.address.kind === 'tcp' ? String(other.address.port) : ''
    await server.cli('REPLICAOF', '127.0.0.1', port)
    await tells('read-only')
    assert.match(link.state().message ?? '', /READONLY/)
    await server.cli('REPLICAOF', 'NO', 'ONE')
    await tells('usable')
  })

  test('a server that is loading its data is read-only until it has', async (t) => {
    const server = await startValkey(t)
    await server.cli('EVAL', `for n = 1, 20000 do redis.call('SET', 'key' .. n, 'x') end`, '0')
    await server.cli('SAVE')
    const { tells, link } = await startLink(t, makeStore(settingsFor([server])))
    await server.kill()
    await tells('refused')
    // Microseconds for each key.
    const slow = ['--key-load-delay', '100', '--loading-process-events-interval-bytes', '1024']
    await server.restart(slow, /Loading RDB|Server initialized/)
    await until('it is loading', () => link.state().trouble === 'read-only')
    assert.match(link.state().message ?? '', /LOADING/)
    await tells('usable')
  })

  test('a server without room is full until there is some', async (t) => {
    const place = await makeValkeyPlace(t)
    const { server } = place
    const { tells, link } = await startLink(t, place.create())
    await server.cli('CONFIG', 'SET', 'maxmemory', '1')
    await tells('full')
    assert.match(link.state().message ?? '', /maxmemory/)
    await server.cli('CONFIG', 'SET', 'maxmemory', '0')
    await tells('usable')
  })

  test('a password that was changed is told as that, without it', async (t) => {
    const server = await startValkey(t, {
      more: ['--requirepass', 'the-password'],
      cli: ['-a', 'the-password'],
    })
    const settings = settingsFor([server], { password: 'the-password' })
    const { tells, link } = await startLink(t, makeStore(settings))
    await server.cli('CONFIG', 'SET', 'requirepass', 'another')
    const wrong = await startLink(t, makeStore(settings), 300)
    await wrong.tells('password')
    const none = await startLink(t, makeStore(settingsFor([server])), 300)
    await none.tells('password')
    for (const { link: one } of [wrong, none]) {
      const state = JSON.stringify(one.state())
      assert.match(state, /STATE_URL/)
      assert.doesNotMatch(state, /the-password/)
    }
    // An open connection stays signed in.
    await server.cli('-a', 'another', 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until('it is told', () => link.state().trouble === 'password')
    await server.cli('-a', 'another', 'CONFIG', 'SET', 'requirepass', 'the-password')
    await tells('usable')
  })

  test('the clock of the server is known within a heartbeat, whatever the own clock says', async (t) => {
    const server = await startValkey(t, { unix: true })
    const store = makeStore(settingsFor([server]), { wall: () => 5 })
    await startLink(t, store)
    const [seconds = 0] = (await server.cli('TIME')).split('\n').map(Number)
    assert.ok(Math.abs(store.now() - seconds * 1_000) < 2_500, `${store.now()}`)
  })
})
