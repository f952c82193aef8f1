import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from '../../../src/state/store-engine.ts'
import { until } from '../../support/until.ts'
import { portOf, settingsFor, startValkey } from '../../support/valkey.ts'
import { beat, changeOf, makeEngine, nameOf, openEngine, troubleOf, untilBeat } from './engine-place.ts'
import { startOddValkey } from './odd-valkey.ts'

const viewer = nameOf('viewer')
/** Milliseconds; and what a busy machine may add. */
const DEADLINES = { beat: 200, read: 200, write: 300, open: 500 }
const SPARE = 1_000

/** Resolves with what came of it, and how many milliseconds that took. */
async function timed(called: Promise<unknown>): Promise<[trouble: string, took: number]> {
  const began = performance.now()
  const trouble = await troubleOf(called)
  return [trouble, performance.now() - began]
}

describe('a server that is away or ill', { concurrency: 4 }, () => {
  test('one that says nothing: each call is late at its deadline, and fine with its first answer', async (t) => {
    const server = await startValkey(t, { unix: true })
    const engine = await openEngine(t, settingsFor([server]), DEADLINES)
    server.pause()
    const calls = [
      [beat(engine), DEADLINES.beat],
      [engine.list(viewer), DEADLINES.read],
      [engine.nextNumber(0), DEADLINES.write],
    ] as const
    for (const [call, deadline] of calls.map(([call, deadline]) => [timed(call), deadline] as const)) {
      const [trouble, took] = await call
      assert.equal(trouble, 'timeout')
      assert.ok(took >= deadline - 5 && took < deadline + SPARE, `${took} ms of ${deadline}`)
    }
    server.goOn()
    await untilBeat(engine, 'fine')
  })

  test('after 3 s of silence the connection is made anew, and a late answer is no answer to another', async (t) => {
    const server = await startValkey(t, { unix: true })
    const engine = await openEngine(t, settingsFor([server]), DEADLINES)
    const connections = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(await server.cli('INFO', 'stats'))?.[1])
    const before = await connections()
    server.pause()
    assert.equal(await troubleOf(beat(engine)), 'timeout')
    await delay(3_300)
    server.goOn()
    await untilBeat(engine, 'fine')
    // One is that of this look.
    assert.ok((await connections()) >= before + 2)
    assert.deepEqual(await engine.list(viewer), [])
  })

  test('one that has died is refused at once, waits for nothing, and is used when it is back', async (t) => {
    const server = await startValkey(t)
    const engine = await openEngine(t, settingsFor([server]))
    await engine.write([changeOf(viewer)])
    await server.kill()
    await untilBeat(engine, 'refused')
    const [trouble, took] = await timed(engine.list(viewer))
    assert.equal(trouble, 'refused')
    assert.ok(took < 100, `${took} ms`)
    await assert.rejects(engine.write([changeOf(viewer)]), /Valkey at 127\.0\.0\.1:\d+: .*; /)
    await server.restart()
    await untilBeat(engine, 'fine')
    // What was refused was not kept to be sent later.
    assert.deepEqual(await engine.list(viewer), [])
  })

  test('one that is not there at the start is used when it comes', async (t) => {
    const server = await startValkey(t)
    await server.kill()
    const engine = makeEngine(settingsFor([server]), DEADLINES)
    t.after(() => engine.close())
    const [trouble, took] = await timed(engine.open())
    assert.equal(trouble, 'refused')
    assert.ok(took < DEADLINES.open + SPARE, `${took} ms`)
    await server.restart()
    await until('it is open', async () => (await troubleOf(engine.open())) === 'fine')
    assert.equal(await troubleOf(beat(engine)), 'fine')
  })

  test('a black hole that accepts nothing is late within the deadline of opening', async (t) => {
    const sockets: Socket[] = []
    const hole = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      hole.close()
    })
    await until('it listens', () => hole.listening)
    const { port } = hole.address() as { port: number }
    const nodes = [{ kind: 'tcp', host: '127.0.0.1', port } as const]
    for (const mode of [{ kind: 'single' }, { kind: 'cluster' }, { kind: 'sentinel', name: 'x' }] as const) {
      const engine = makeEngine({ ...settingsFor([]), nodes, mode }, DEADLINES)
      const [trouble, took] = await timed(engine.open())
      await engine.close()
      assert.ok(['timeout', 'refused'].includes(trouble), trouble)
      assert.ok(took < DEADLINES.open + SPARE, `${mode.kind}: ${took} ms`)
    }
  })

  test('one that became a replica is read-only until it is promoted', async (t) => {
    const [server, other] = await Promise.all([startValkey(t), startValkey(t)])
    const engine = await openEngine(t, settingsFor([server]))
    await server.cli('REPLICAOF', '127.0.0.1', String(portOf(other.address)))
    await untilBeat(engine, 'read-only')
    await assert.rejects(beat(engine), /READONLY/)
    await server.cli('REPLICAOF', 'NO', 'ONE')
    await untilBeat(engine, 'fine')
  })

  test('one that is loading its data is read-only until it has', async (t) => {
    const server = await startValkey(t)
    await server.cli('EVAL', `for n = 1, 20000 do redis.call('SET', 'key' .. n, 'x') end`, '0')
    await server.cli('SAVE')
    const engine = await openEngine(t, settingsFor([server]))
    await server.kill()
    // Microseconds for each key.
    const slow = ['--key-load-delay', '100', '--loading-process-events-interval-bytes', '1024']
    await server.restart(slow, /Loading RDB|Server initialized/)
    await untilBeat(engine, 'read-only')
    await untilBeat(engine, 'fine')
  })

  test('one without room is full until there is some, and what lies there can be read', async (t) => {
    const server = await startValkey(t, { unix: true })
    const engine = await openEngine(t, settingsFor([server]))
    await engine.write([changeOf(viewer)])
    await server.cli('CONFIG', 'SET', 'maxmemory', '1')
    await untilBeat(engine, 'full')
    const [outcome] = await engine.write([changeOf(viewer, { id: 'two' })])
    assert.equal(outcome?.kind === 'failed' && outcome.error.trouble, 'full')
    assert.deepEqual(
      (await engine.list(viewer)).map(({ id }) => id),
      ['one'],
    )
    await server.cli('CONFIG', 'SET', 'maxmemory', '0')
    await untilBeat(engine, 'fine')
  })

  test('a password that was changed is told as that, without it', async (t) => {
    const server = await startValkey(t, {
      more: ['--requirepass', 'the-password'],
      cli: ['-a', 'the-password'],
    })
    const settings = settingsFor([server], { password: 'the-password' })
    const engine = await openEngine(t, settings)
    await server.cli('CONFIG', 'SET', 'requirepass', 'another')
    for (const one of [settings, settingsFor([server])]) {
      const late = makeEngine(one, { open: 500 })
      t.after(() => late.close())
      const error = await late.open().catch((reason: unknown) => reason)
      const { inspect } = await import('node:util')
      assert.ok(error instanceof StoreError && error.trouble === 'password', String(error))
      assert.match(error.message, /STATE_URL/)
      assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /the-password/)
    }
    // An open connection stays signed in.
    assert.equal(await troubleOf(beat(engine)), 'fine')
    await server.cli('-a', 'another', 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await untilBeat(engine, 'password')
    await server.cli('-a', 'another', 'CONFIG', 'SET', 'requirepass', 'the-password')
    await untilBeat(engine, 'fine')
  })

  test('scripts that the server has forgotten are sent again', async (t) => {
    const server = await startValkey(t, { unix: true })
    const engine = await openEngine(t, settingsFor([server]))
    await beat(engine)
    await server.cli('SCRIPT', 'FLUSH')
    assert.equal(await troubleOf(beat(engine)), 'fine')
  })

  test('replies that have slipped by one are noticed, and the connection is made anew', async (t) => {
    const server = await startOddValkey(t)
    const engine = makeEngine({ ...settingsFor([]), nodes: [server.address] }, DEADLINES)
    t.after(() => engine.close())
    await engine.open()
    let isFirst = true
    server.answer(() => {
      const reply = isFirst ? '' : undefined
      isFirst = false
      return reply
    })
    // It gets no answer, and so each call after it that of the one before.
    assert.equal(await troubleOf(beat(engine)), 'timeout')
    assert.notEqual(await troubleOf(beat(engine)), 'fine')
    await untilBeat(engine, 'fine')
  })
})
