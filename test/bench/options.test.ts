import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readOptions, valkeyParts } from '../../bench/read-options.ts'

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

test('each part about Valkey can be measured alone, with the sessions that are asked for', () => {
  for (const part of valkeyParts) {
    const options = readOptions(['--only', part, '--sessions', '20000,1000'])
    assert.ok('parts' in options)
    assert.deepEqual([options.parts, options.sessions, options.write], [[part], [1_000, 20_000], false])
  }
  assert.match(runBench('--sessions', 'many').said, /--sessions many: not a whole number above 0/)
})
