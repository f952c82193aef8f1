import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'dotenv'
import { readSettings } from '../../src/config/read-settings.ts'
import { settingNames } from '../../src/config/settings-table.ts'
import {
  envExampleFile,
  readTable,
  renderEnvExample,
  renderTable,
  settingsPageFile,
} from '../../tools/settings-documents.ts'

const cure = 'differs from src/config/settings-table.ts: run npx tsx tools/settings-documents.ts'

describe('the settings in documents', () => {
  test('the table of docs/settings.md is the one in the code', () => {
    assert.equal(readTable(readFileSync(settingsPageFile, 'utf8')), renderTable(), `docs/settings.md ${cure}`)
  })

  test('.env.example is the one in the code', () => {
    assert.equal(readFileSync(envExampleFile, 'utf8'), renderEnvExample(), `.env.example ${cure}`)
  })

  test('a page without the markers is told what it lacks', () => {
    for (const page of [
      '',
      '<!-- settings:begin -->\n',
      '<!-- settings:end -->\n<!-- settings:begin -->\n',
    ]) {
      assert.throws(() => readTable(page), /settings:begin.*settings:end/)
    }
  })

  test('a bar in a text does not end the cell', () => {
    const table = renderTable({ A: { value: 'x|y', about: '`b|c`' } })
    assert.match(table, /^\| `A` \| `x\\\|y` \| `b\\\|c` \|$/m)
  })
})

describe('.env.example', () => {
  test('works as it is', () => {
    const environment = parse(renderEnvExample())
    assert.deepEqual(Object.keys(environment), ['BACKEND_URL'])
    assert.equal(readSettings(environment).ok, true)
  })

  test('changes nothing when every line is brought in', () => {
    const environment = parse(renderEnvExample().replace(/^#(?=[A-Z])/gm, ''))
    assert.deepEqual(Object.keys(environment), [...settingNames])
    const { BACKEND_URL } = environment
    assert.deepEqual(readSettings(environment), readSettings({ BACKEND_URL }))
  })
})
