import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bench/bench.ts', import.meta.url))

function runBench(...parameters: readonly string[]): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', program, ...parameters],
    {
      encoding: 'utf8',
    },
  )
  return { code: status, said: stdout + stderr }
}

test('the bench says what it can do', () => {
  const { code, said } = runBench('--help')
  assert.equal(code, 0)
  assert.match(said, /--old FOLDER/)
  assert.match(said, /^ {2}m {2}bare Node that asks/m)
})

test('the bench refuses what it cannot compare before it starts anything', () => {
  assert.match(runBench('--old', '/nowhere', '--contenders', 'g').said, /--old is compared with h/)
  const { code, said } = runBench('--old', '/nowhere')
  assert.equal(code, 1)
  assert.match(said, /\/nowhere is no checkout of alta-auth/)
})
