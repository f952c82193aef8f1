import assert from 'node:assert/strict'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { connectionFaults, DEADLINE } from '../support/connection-faults.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { patientTest } from '../support/patient-test.ts'
import { startWatchedGate } from '../support/readiness.ts'
import { until } from '../support/until.ts'

/** The most connections that come of it is eight, and each address has one question at once. */
const CONCURRENCY = 4
/** Two a wave: more questions than connections. */
const WAVES = 6
/** Real verdicts are back within this many milliseconds after a fault. */
const RECOVERY = 5_000

/** Connections of this process that are being made. */
const connecting = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.endsWith('ConnectWrap')).length

patientTest(
  'a backend that did not even answer a SYN is asked as soon as it is back, whatever was given up meanwhile',
  async (t) => {
    const backend = await startBackend(t)
    const proxy = await startFaultProxy(t, backend.port)
    const gate = await startWatchedGate(t, {
      BACKEND_URL: proxy.url,
      BACKEND_TIMEOUT: `${DEADLINE}ms`,
      BACKEND_CONCURRENCY: String(CONCURRENCY),
    })
    const end = await connectionFaults.find(({ what }) => what.includes('SYN'))?.begin(proxy)
    assert.ok(end !== undefined)
    t.after(end)
    const before = connecting()

    let viewers = 0
    /** Two addresses are no reason for the breaker to open. */
    const ask = (): Promise<string[]> =>
      Promise.all(
        ['192.0.2.1', '192.0.2.2'].map(
          async (address) => (await askGate(gate.port, { address, userAgent: `viewer ${viewers++}` })).reason,
        ),
      )
    for (let wave = 0; wave < WAVES; wave++) {
      assert.deepEqual(await ask(), ['unavailable-timeout', 'unavailable-timeout'])
    }
    // The system itself would go on for two minutes.
    await until('connections that nobody waits for to end', () => connecting() <= before, RECOVERY)

    await end()
    await proxy.behave({ kind: 'pass' })
    assert.deepEqual(await ask(), ['backend-200', 'backend-200'])
  },
)
