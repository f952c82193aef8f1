import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../support/child.ts'
import type { FloodReport } from '../support/flood-report.ts'

const script = fileURLToPath(new URL('../support/flood-run.ts', import.meta.url))
/** MiB that 100,000 remembered denies may take, however long the tokens were. */
const DENIALS_TAKE = 64
/** MiB that may come and go while nothing grows. */
const SLACK = 8

/** A million of them: FULL=1 */
test('a flood of bad tokens, half from one address, half from 32,768: all refused, no playing viewer loses its session, memory stays bounded', async (t) => {
  const child = startChild(t, process.execPath, [
    '--expose-gc',
    '--max-semi-space-size=32',
    '--import',
    'tsx',
    script,
  ])
  assert.equal(await child.exited, 0, child.output())
  const report = JSON.parse(child.output()) as FloodReport
  const { heapBefore, heapSettled, heapAfter, rss, seconds } = report
  t.diagnostic(
    `${report.lost} of 10,000 sessions lost; heap ${heapBefore} MiB before, ${heapSettled} after 200,000 tokens, ${heapAfter} after ${report.sent}`,
  )
  t.diagnostic(`resident at the end: ${rss} MiB; took ${seconds} s`)
  assert.equal(report.refused, report.sent)
  assert.ok(report.sent >= 300_000 && report.played > report.sent / 10)
  assert.equal(report.lost, 0)
  assert.equal(report.sessions, 10_000)
  assert.ok(report.denials <= 100_000)
  assert.ok(heapSettled - heapBefore < DENIALS_TAKE, 'the denies take too much')
  assert.ok(heapAfter - heapSettled < SLACK, 'memory grows with the flood')
})
