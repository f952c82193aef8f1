import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../support/until.ts'
import { settingsFor, startWithSentinels } from '../../support/valkey.ts'
import { beat, changeOf, makeEngine, nameOf, openEngine, untilBeat } from './engine-place.ts'
import { startOddValkey } from './odd-valkey.ts'

const viewer = nameOf('viewer')
const mode = { kind: 'sentinel', name: 'test' } as const
const DEADLINES = { beat: 500, read: 500, write: 500, open: 5_000 }

describe('a server with a replica and Sentinels', { concurrency: 4 }, () => {
  for (const what of ['dies', 'says nothing'] as const)
    test(`when the primary ${what}, the replica is used as soon as the Sentinels promote it`, async (t) => {
      const { primary, replica, sentinels } = await startWithSentinels(t, 3)
      const engine = await openEngine(t, settingsFor([], { mode, nodes: sentinels }), DEADLINES)
      await engine.write([changeOf(viewer)])
      await until('it is replicated', async () => (await replica.cli('KEYS', 'test:2:v*')) !== '')
      if (what === 'dies') await primary.kill()
      else primary.pause()
      await untilBeat(engine, what === 'dies' ? 'refused' : 'timeout')
      await untilBeat(engine, 'fine')
      assert.equal((await engine.list(viewer)).length, 1)
      // What comes back is a replica of it, and is not used.
      if (what === 'dies') await primary.restart()
      else primary.goOn()
      assert.equal((await engine.write([changeOf(viewer)]))[0]?.kind, 'written')
    })

  test('a name that the Sentinels do not know is told, with the cure', async (t) => {
    const { sentinels } = await startWithSentinels(t, 1)
    const settings = settingsFor([], { mode: { kind: 'sentinel', name: 'other' }, nodes: sentinels })
    const engine = makeEngine(settings, { open: 500 })
    t.after(() => engine.close())
    await assert.rejects(engine.open(), /STATE_MODE/)
  })

  test('of several Sentinels one that answers is enough', async (t) => {
    const { sentinels } = await startWithSentinels(t, 1)
    const nodes = [{ kind: 'tcp', host: '127.0.0.1', port: 1 } as const, ...sentinels]
    const engine = await openEngine(t, settingsFor([], { mode, nodes }))
    assert.equal((await beat(engine)).number, 0)
  })

  test('Sentinels that want a password get the one of the servers, others are not told it', async (t) => {
    for (const wants of [true, false]) {
      const server = await startOddValkey(t)
      const told: string[] = []
      let isSignedIn = false
      server.answer(({ name, parameters }) => {
        if (name === 'auth') {
          told.push(parameters.join(' '))
          isSignedIn = true
        }
        if (name === 'sentinel') told.push('asked')
        return name === 'sentinel' && wants && !isSignedIn
          ? '-NOAUTH Authentication required.\r\n'
          : undefined
      })
      const settings = settingsFor([], { mode, nodes: [server.address], password: 'the-password' })
      const engine = makeEngine(settings)
      t.after(() => engine.close())
      await engine.open()
      // The last one is that of the server itself.
      assert.match(
        told.join(' '),
        wants ? /^(?:asked )+the-password asked the-password$/ : /^asked the-password$/,
      )
    }
  })
})
