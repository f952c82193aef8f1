import assert from 'node:assert/strict'
import fs, { openSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLogOutput } from '../../src/log/log-output.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

test('lines that follow one another closely are written at once, in their order', async (t) => {
  const write = t.mock.method(fs, 'write')
  syncBuiltinESMExports()
  t.after(() => {
    write.mock.restore()
    syncBuiltinESMExports()
  })
  const file = join(makeTemporaryFolder(t), 'log')
  const output = createLogOutput(openSync(file, 'w'))
  const lines = Array.from({ length: 5 }, (_, n) => `line ${n}: é\n`)
  // The clock stands still, so that no write falls between two lines on a slow machine.
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const line of lines) {
    output.write(line)
    await setImmediate()
  }
  assert.equal(readFileSync(file, 'utf8'), '')
  t.mock.timers.tick(10)
  t.mock.timers.reset()
  await until('the lines', () => readFileSync(file, 'utf8') === lines.join(''))
  assert.equal(write.mock.callCount(), 1)
})
