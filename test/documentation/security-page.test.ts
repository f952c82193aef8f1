import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const page = readFileSync(at('SECURITY.md'), 'utf8')
const attacks = readFileSync(at('test/attacks.md'), 'utf8')

test('every test file that test/attacks.md names is there', () => {
  const names = new Set(attacks.match(/[\w./-]+\.test\.ts/g))
  assert.ok(names.size > 20, 'names that were found')
  assert.deepEqual(
    Array.from(names).filter((name) => !existsSync(at(`test/${name}`))),
    [],
  )
})

test('every attack class has a test', () => {
  const [, , ...rows] = attacks.split('\n').filter((line) => line.startsWith('|'))
  assert.ok(rows.length > 10)
  for (const row of rows) assert.match(row, /^\| [^|]+ \| [^|]*\.test\.ts/)
})

test('SECURITY.md tells how to report, without an address', () => {
  assert.match(page, /^## Reporting$/m)
  assert.doesNotMatch(page, /[\w.]+@[\w.]+|https?:\/\/\w/)
})
