import { describe, test } from 'node:test'
import { startLonelyEdge } from '../../support/edges.ts'
import { playThroughFault } from '../../support/play-through-fault.ts'
import { forSuite } from '../../support/scope.ts'
import { startValkey } from '../../support/valkey.ts'
import { storeOf } from '../../support/valkey-settings-of.ts'

/** The quickest rows of the table of failures; test/long/state-faults.test.ts has all others. */
describe('a Valkey that goes wrong cuts nobody', { concurrency: true }, () => {
  const alone = forSuite(startLonelyEdge)

  test('killed and started again, empty', async (t) => {
    const valkey = await startValkey(t)
    const store = storeOf(valkey)
    await playThroughFault(t, alone, {
      stores: [store, store],
      begin: () => valkey.kill(),
      lasts: 2_000,
      end: () => valkey.restart(),
    })
  })

  test('FLUSHALL', async (t) => {
    const valkey = await startValkey(t)
    const store = storeOf(valkey)
    await playThroughFault(t, alone, {
      stores: [store, store],
      async begin() {
        await valkey.cli('FLUSHALL')
      },
      lasts: 1_000,
      end: async () => {},
      isNoticed: false,
    })
  })

  test('silent for 5 seconds', async (t) => {
    const valkey = await startValkey(t)
    const store = storeOf(valkey)
    await playThroughFault(t, alone, {
      stores: [store, store],
      begin: async () => valkey.pause(),
      lasts: 5_000,
      end: async () => valkey.goOn(),
    })
  })
})
