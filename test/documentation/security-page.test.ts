import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const page = readFileSync(at('SECURITY.md'), 'utf8')
const attacks = page.split('\n').filter((line) => /^\|.*\.test\.ts/.test(line))

test('every test file that SECURITY.md names is there', () => {
  const names = new Set(page.match(/[\w./-]+\.test\.ts/g))
  assert.ok(names.size > 20, 'names that were found')
  assert.deepEqual(
    Array.from(names).filter((name) => !existsSync(at(`test/${name}`))),
    [],
  )
})

test('every attack class has a test', () => {
  const [, ...rows] = (page.split('## Attack classes')[1] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
  assert.ok(rows.length > 10)
  assert.deepEqual(rows, attacks)
})

test('every file that SECURITY.md links to is there', () => {
  const links = Array.from(page.matchAll(/\]\(([^)#]+)\)/g), ([, link]) => link ?? '')
  assert.deepEqual(
    links.filter((link) => !existsSync(at(link))),
    [],
  )
})

test('SECURITY.md tells how to report, without an address', () => {
  assert.match(page, /^## Reporting$/m)
  assert.doesNotMatch(page, /[\w.]+@[\w.]+|https?:\/\/\w/)
})
