import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startBackend } from '../../support/backend.ts'
import { channelFiles } from '../../support/channel-files.ts'
import { startChild } from '../../support/child.ts'
import { startGateProcess } from '../../support/gate-process.ts'
import { startNginx } from '../../support/nginx.ts'
import { patientTest } from '../../support/patient-test.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { hasToken } from '../../support/token-backend.ts'
import { createViewer, type Viewer } from '../../support/viewer.ts'

/**
 * The longest wait of a viewer whose connection is new to the gate, as a multiple of the flood's own wait.
 */
const PATIENCE = 15

/** Bad tokens, all different, from one address and with 50 User-Agents. */
const badTokens = `
local n = 0
request = function()
  n = n + 1
  wrk.headers["User-Agent"] = "guesser-" .. n % 50
  return wrk.format("GET", "/live/one/index.m3u8?token=bad-" .. n)
end`

for (const together of [300, 1_000]) {
  patientTest(`beside ${together} bad tokens at a time nobody of 60 who play is refused`, async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    const { port } = await startGateProcess(t, { BACKEND_URL: backend.url })
    const nginx = await startNginx(t, { gates: [`127.0.0.1:${port}`], files: channelFiles(['one'], 1) })
    const viewers = Array.from({ length: 60 }, (_, n) => createViewer(t, nginx, { from: `127.0.2.${n + 1}` }))
    for (const { get } of viewers) assert.equal(await get('/live/one/index.m3u8?token=good'), 200)

    const script = join(makeTemporaryFolder(t), 'bad-tokens.lua')
    writeFileSync(script, badTokens)
    const wrk = ['-t1', `-c${together}`, '-d4s', '--timeout', '20s', '-s', script, nginx.url]
    const flood = startChild(t, 'wrk', wrk)
    await delay(1_000)
    const took: number[] = []
    const segment = async (get: Viewer['get']): Promise<void> => {
      const began = performance.now()
      assert.equal(await get('/live/one/0.ts'), 200)
      took.push(performance.now() - began)
    }
    for (let round = 0; round < 4; round++) {
      await Promise.all(viewers.map(({ get }) => segment(get)))
      await delay(500)
    }
    assert.equal(await flood.exited, 0, flood.output())
    const p99 = took.sort((one, other) => one - other)[Math.floor(took.length * 0.99)] ?? 0
    // The speed of the machine: how long the requests of the flood wait for their answers.
    const usual = (together / Number(/Requests\/sec: +([\d.]+)/.exec(flood.output())?.[1])) * 1_000
    const figures = `p99 of ${took.length} segments ${Math.round(p99)} ms, of the flood ${Math.round(usual)} ms on average`
    t.diagnostic(figures)
    assert.ok(p99 < PATIENCE * usual, figures)
  })
}
