import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from '../support/client.ts'
import { startNginx } from '../support/nginx.ts'
import { mostAtOnce, startPhpFpm } from '../support/php-fpm-backend.ts'
import { startWatchedGate } from '../support/readiness.ts'

/** Milliseconds that the script sleeps while the backend is slow, and milliseconds for which it is slow. */
const SLEEP = 5_000
const SLOW_FOR = 7_000
/** Between two new viewers; milliseconds. */
const EVERY = 10
/** Milliseconds after the end of the slow time in which every viewer must have a real verdict. */
const RECOVERY = 12_000

test('php-fpm of five children that becomes slow is not buried: everybody is served soon after it is quick again', async (t) => {
  const fpm = await startPhpFpm(t, 5)
  const gate = await startWatchedGate(t, { BACKEND_URL: `${fpm.url}/auth`, BACKEND_TIMEOUT: '2s' })
  const nginx = await startNginx(t, {
    gates: [gate.address],
    files: { '/live/a.m3u8': '#EXTM3U\n' },
    // Viewers come with an address of their own.
    http: 'set_real_ip_from 127.0.0.1; real_ip_header X-Viewer;',
  })
  let viewers = 0
  const ask = async (): Promise<boolean> => {
    const n = viewers++
    const address = `10.${(n >> 8) & 255}.${n & 255}.1`
    const target = `/live/a.m3u8?token=good${n}`
    return (await request({ port: nginx.port, target, headers: [`X-Viewer: ${address}`] })).status === 200
  }
  assert.equal(await ask(), true)

  const asking: Promise<boolean>[] = []
  fpm.sleep(SLEEP)
  for (let passed = 0; passed < SLOW_FOR; passed += EVERY) {
    asking.push(ask())
    await delay(EVERY)
  }
  fpm.sleep(0)
  const began = performance.now()
  let served = 0
  while (served < 100 && performance.now() - began < 3 * RECOVERY) {
    served = (await ask()) ? served + 1 : 0
    await delay(EVERY)
  }
  const took = Math.round(performance.now() - began)
  await Promise.all(asking)
  const most = mostAtOnce(fpm.runs())
  t.diagnostic(
    `at most ${most} questions with the backend at once; a hundred in a row served after ${took} ms`,
  )
  // 64 places, and the questions that were sent before the first late answer.
  assert.ok(most <= 80, `${most} at once`)
  assert.ok(took < RECOVERY, `${took} ms`)
})
