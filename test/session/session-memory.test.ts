import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../support/child.ts'

const script = fileURLToPath(new URL('../../bench/session-memory.ts', import.meta.url))
const SESSIONS = 50_000
/**
 * Bytes of the heap. With what V8 adds, a million sessions then take less than 600 resident bytes each: npm
 * run measure:memory.
 */
const MOST = 510

test('a live session with a URL of 200 bytes takes at most 510 bytes of the heap', async (t) => {
  const child = startChild(t, process.execPath, ['--expose-gc', '--import', 'tsx', script, String(SESSIONS)])
  assert.equal(await child.exited, 0, child.output())
  const last = child.output().trim().split('\n').at(-1) ?? ''
  const figures = JSON.parse(last) as { readonly sessions: number; readonly heapBytesPerSession: number }
  t.diagnostic(last)
  assert.equal(figures.sessions, SESSIONS)
  const { heapBytesPerSession: taken } = figures
  assert.ok(taken > 100 && taken <= MOST, `${taken} bytes`)
})
