import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { startMain } from '../support/main-process.ts'

/**
 * Each way through the letters is tried before the wrong end is found: two ways for each letter, or a power
 * of their number.
 */
const patterns: readonly (readonly [pattern: string, path: string])[] = [
  ['^/live/((?:[a-z0-9]+-?)+)/', `/live/${'a'.repeat(200)}`],
  ['^/live/(([a-z]+)*)\\.m3u8$', `/live/${'a'.repeat(3_000)}.ts`],
  ['^/.*/([^/]+)/.*/.*/.*\\.ts$', `/${'a/'.repeat(1_500)}x.m3u8`],
]

describe('a path that is made for a CHANNEL_PATTERN to go back and forth', () => {
  for (const [pattern, path] of patterns) {
    test(`does not hold up the gate: ${pattern}`, async (t) => {
      const backend = await startBackend(t)
      const port = await findFreePort()
      const main = startMain(t, {
        BACKEND_URL: backend.url,
        ADMIN_LISTEN: 'off',
        LISTEN: `127.0.0.1:${port}`,
        CHANNEL_PATTERN: pattern,
      })
      await main.listening()
      const ask = (uri: string) =>
        Promise.race([
          askGate(port, { uri }),
          delay(20_000, undefined, { ref: false }).then(() =>
            assert.fail(`no answer to ${uri.slice(0, 20)}`),
          ),
        ])
      assert.equal((await ask(`${path}?token=1`)).reason, 'backend-200', 'judged by its path')
      assert.equal((await ask('/live/a/b/c/d/1.ts?token=1')).reason, 'backend-200')
    })
  }
})
