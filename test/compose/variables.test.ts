import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { settingNames } from '../../src/config/settings-table.ts'

test('docker-compose.yml passes on every setting but the addresses, which are its own', () => {
  const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
  const gate = /^ {2}gate:\n(?:(?: {4}.*)?\n)+/m.exec(text)?.[0] ?? ''
  const passed = [...gate.matchAll(/^ {6}([A-Z\d_]+):/gm)].map(([, name]) => name)
  const own = ['LISTEN', 'ADMIN_LISTEN']
  assert.deepEqual(passed.sort(), settingNames.filter((name) => !own.includes(name)).sort())
})
