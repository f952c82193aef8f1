import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startCutOff } from '../support/cut-off.ts'
import { startLonelyEdge } from '../support/edges.ts'
import { findFreePort } from '../support/free-port.ts'
import { moveSlots } from '../support/move-slots.ts'
import { playThroughFault } from '../support/play-through-fault.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'
import {
  portOf,
  startCluster,
  startValkey,
  startWithSentinels,
  type ValkeyServer,
} from '../support/valkey.ts'
import { clusterOf, sentinelOf, storeOf } from '../support/valkey-settings-of.ts'

/** Rows at a time; each has servers, gates and nginx of its own. */
const AT_ONCE = Number(process.env['AT_ONCE'] ?? 3)

/** All rows of the table of failures in docs/scale.md that test/edges/state-faults.test.ts does not have. */
describe('whatever happens to Valkey, nobody who plays is cut', { concurrency: AT_ONCE }, () => {
  const alone = forSuite(startLonelyEdge)

  test('down when the gates start', async (t) => {
    const valkey = await startValkey(t)
    await valkey.kill()
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      isDownAtStart: true,
      begin: async () => {},
      lasts: 1_000,
      end: () => valkey.restart(),
    })
  })

  test('demoted: it takes no writes (READONLY)', async (t) => {
    const valkey = await startValkey(t)
    const nobody = await findFreePort()
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      begin: () => say(valkey, 'REPLICAOF', '127.0.0.1', String(nobody)),
      lasts: 3_000,
      end: () => say(valkey, 'REPLICAOF', 'NO', 'ONE'),
    })
  })

  test('full, and it evicts nothing (OOM)', async (t) => {
    const valkey = await startValkey(t)
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      begin: () => say(valkey, 'CONFIG', 'SET', 'maxmemory', '1'),
      lasts: 3_000,
      end: () => say(valkey, 'CONFIG', 'SET', 'maxmemory', '0'),
    })
  })

  test('full, and it evicts everything', async (t) => {
    const valkey = await startValkey(t)
    await say(valkey, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      begin: () => say(valkey, 'CONFIG', 'SET', 'maxmemory', '1'),
      lasts: 3_000,
      end: () => say(valkey, 'CONFIG', 'SET', 'maxmemory', '0'),
      isNoticed: false,
    })
  })

  test('its password is changed', async (t) => {
    const valkey = await startValkey(t)
    const user = ['ACL', 'SETUSER', 'gate', 'on', 'allkeys', 'allcommands', 'resetpass'] as const
    await say(valkey, ...user, '>one')
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey, { user: 'gate:one' })),
      async begin() {
        await say(valkey, ...user, '>two')
        await say(valkey, 'CLIENT', 'KILL', 'USER', 'gate')
      },
      lasts: 3_000,
      end: () => say(valkey, ...user, '>one'),
    })
  })

  test('it loads its data for seconds (LOADING)', async (t) => {
    const valkey = await startValkey(t, { more: ['--enable-debug-command', 'local'] })
    let loading: Promise<void> | undefined
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      async begin() {
        await say(valkey, 'DEBUG', 'POPULATE', '1000', 'other', '1000')
        await say(valkey, 'SAVE')
        await valkey.kill()
        loading = valkey.restart([
          '--key-load-delay',
          '3000',
          '--loading-process-events-interval-bytes',
          '1024',
        ])
      },
      lasts: 2_500,
      end: async () => await loading,
    })
  })

  test('keys of a cluster move to another server (ASK, then MOVED)', async (t) => {
    const servers = await startCluster(t)
    const [from, to] = servers as [ValkeyServer, ValkeyServer]
    let finish = async (): Promise<void> => {}
    await playThroughFault(t, alone, {
      ...both(clusterOf(servers)),
      async begin() {
        finish = await moveSlots(from, to, servers)
      },
      lasts: 3_000,
      end: () => finish(),
      isNoticed: false,
    })
  })

  test('one of three servers of a cluster dies', async (t) => {
    const servers = await startCluster(t)
    await playThroughFault(t, alone, {
      ...both(clusterOf(servers)),
      begin: async () => servers[1]?.kill(),
      lasts: 4_000,
      end: async () => servers[1]?.restart(),
    })
  })

  test('its Sentinel names another server, since it died', async (t) => {
    const { primary, sentinels } = await startWithSentinels(t, 1)
    await playThroughFault(t, alone, {
      ...both(sentinelOf(sentinels)),
      begin: () => primary.kill(),
      lasts: 4_000,
      end: () => primary.restart(),
    })
  })

  test('its replica is promoted, it is restarted, and back', async (t) => {
    const { primary, replica, sentinels } = await startWithSentinels(t, 1)
    const sentinel = sentinels[0]
    assert.ok(sentinel)
    const isPrimary = async (server: ValkeyServer) => (await server.cli('ROLE')).startsWith('master')
    // A Sentinel that a busy machine keeps from running may do it by itself.
    const failOver = async (to: ValkeyServer): Promise<void> => {
      if (await isPrimary(to)) return
      const order = ['-p', String(portOf(sentinel)), 'SENTINEL', 'FAILOVER', 'test']
      await until('the Sentinel takes the order', async () => (await to.cliFor(order)).includes('OK'), 20_000)
      await until('it is promoted', () => isPrimary(to), 20_000)
    }
    await playThroughFault(t, alone, {
      ...both(sentinelOf(sentinels)),
      async begin() {
        await failOver(replica)
        await primary.kill()
        await primary.restart(['--replicaof', `127.0.0.1 ${portOf(replica.address)}`])
      },
      lasts: 2_000,
      async end() {
        const isInStep = async () =>
          /link_status:up|role:master/.test(await primary.cli('INFO', 'replication'))
        await until('it is in step', isInStep, 20_000)
        await failOver(primary)
      },
      isNoticed: false,
    })
  })

  test('one gate is cut off from it, as by a black hole', async (t) => {
    const valkey = await startValkey(t)
    const proxy = await startCutOff(t, portOf(valkey.address))
    await playThroughFault(t, alone, {
      stores: [storeOf(valkey, { port: proxy.port }), storeOf(valkey)],
      begin: async () => proxy.cut(),
      lasts: 5_000,
      end: async () => proxy.heal(),
    })
  })

  test('it is silent for a minute', async (t) => {
    const valkey = await startValkey(t)
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      begin: async () => valkey.pause(),
      lasts: 60_000,
      end: async () => valkey.goOn(),
    })
  })

  for (const [milliseconds, isNoticed] of [
    [80, false],
    [300, true],
  ] as const)
    test(`the way to it and back takes ${milliseconds} ms`, async (t) => {
      const valkey = await startValkey(t)
      const proxy = await startCutOff(t, portOf(valkey.address))
      await playThroughFault(t, alone, {
        ...both(storeOf(valkey, { port: proxy.port })),
        begin: async () => proxy.delay(milliseconds / 2),
        lasts: 6_000,
        end: async () => proxy.delay(0),
        isNoticed,
      })
    })

  test('the gates are restarted one after the other', async (t) => {
    const valkey = await startValkey(t)
    await playThroughFault(t, alone, {
      ...both(storeOf(valkey)),
      areAllBehind: true,
      async begin({ edges }) {
        for (const { gate } of edges) {
          await gate.restart('SIGTERM')
          await delay(500)
        }
      },
      lasts: 1_000,
      end: async () => {},
      isNoticed: false,
    })
  })
})

type Store = Readonly<Record<string, string>>

function both(store: Store): { readonly stores: readonly [Store, Store] } {
  return { stores: [store, store] }
}

async function say(server: ValkeyServer, ...command: readonly string[]): Promise<void> {
  const said = await server.cli(...command)
  assert.doesNotMatch(said, /^(?:ERR|WRONG|NO|OOM)/, command.join(' '))
}
