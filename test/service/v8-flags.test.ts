import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../../src', import.meta.url))

/** V8 ignores a flag that it does not know: it writes a line to stderr and continues. */
test('this Node knows every flag that the gate sets in V8', () => {
  const known = new Set(
    [
      ...execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).matchAll(
        /^ +--([\w-]+) \(/gm,
      ),
    ].map(([, name = '']) => name),
  )
  const set = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(src, name), 'utf8'))
    .filter((text) => text.includes('setFlagsFromString('))
    .flatMap((text) => [...text.matchAll(/['`]--(?:no-)?([\w-]+)/g)].map(([, name = '']) => name))
  assert.deepEqual([...new Set(set)].sort(), [
    'enable-experimental-regexp-engine',
    'enable-experimental-regexp-engine-on-excessive-backtracks',
    'heap-growing-percent',
  ])
  for (const name of set) assert.ok(known.has(name), `--${name} means nothing to V8 ${process.versions.v8}`)
})
