import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from '../../support/documentation/pages.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const rulesFile = readFileSync(join(root, 'monitoring/alerts.yml'), 'utf8')
const alerts = [...rulesFile.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name)

describe('the tests of the alert rules', () => {
  // What always fires fails the test of each rule at its first moment, what never fires at another one.
  for (const broken of ['vector(0) > 1', 'vector(1)']) {
    test(`each rule is seen to be wrong when it is ${broken}`, (t) => {
      const folder = makeTemporaryFolder(t)
      const expressions = / expr: (?:>-\n(?: {10,}.*\n)+|.*\n)/g
      assert.equal(rulesFile.match(expressions)?.length, alerts.length)
      writeFileSync(join(folder, 'alerts.yml'), rulesFile.replaceAll(expressions, ` expr: ${broken}\n`))
      cpSync(join(root, 'monitoring/alerts.test.yml'), join(folder, 'alerts.test.yml'))
      const { status, stdout, stderr } = spawnSync(
        'promtool',
        ['test', 'rules', join(folder, 'alerts.test.yml')],
        {
          encoding: 'utf8',
        },
      )
      assert.equal(status, 1)
      for (const alert of alerts) assert.match(stdout + stderr, new RegExp(`alertname: ${alert}\\b`))
    })
  }
})
