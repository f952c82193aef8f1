import { describe, test } from 'node:test'
import { playThroughFault } from '../support/play-through-fault.ts'
import { startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

/** The quickest rows of the table of failures; test/long/state-faults.test.ts has all others. */
describe('a Valkey that goes wrong cuts nobody', { concurrency: true }, () => {
  test('killed and started again, empty', async (t) => {
    const valkey = await startValkey(t)
    const store = storeOf(valkey)
    await playThroughFault(t, {
      stores: [store, store],
      begin: () => valkey.kill(),
      lasts: 2_000,
      end: () => valkey.restart(),
    })
  })

  test('FLUSHALL', async (t) => {
    const valkey = await startValkey(t)
    const store = storeOf(valkey)
    await playThroughFault(t, {
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
    await playThroughFault(t, {
      stores: [store, store],
      begin: async () => valkey.pause(),
      lasts: 5_000,
      end: async () => valkey.goOn(),
    })
  })
})
