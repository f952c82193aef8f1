import assert from 'node:assert/strict'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { historiesOf, nothingShown, playHistory } from '../support/limit-history.ts'
import type { LimitRules } from '../support/pretend-user.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** Each drops one rule: in a file, one text in place of another. */
const mutants = [
  ['3: a further channel counts', 'plays.ts', 'if (kept.length < 2)', 'if (kept.length < 99)'],
  ['3: only after a minute', 'user.ts', 'stay: MINUTE + hidden', 'stay: 1'],
  ['5: who is silent goes first', 'rules.ts', 'if (play.isSilent) return 1', ''],
  [
    '5: who opens stays',
    'rules.ts',
    '.filter(({ entries }) => opening === undefined || !entries.includes(opening))',
    '',
  ],
  ['6: who plays keeps playing', 'rules.ts', "terms.policy === 'refuse' &&", 'false &&'],
  ['8: who was put out stays out', 'outs.ts', '{ ...out, until: out.at + pause }\n}', 'out\n}'],
  ['8: until there is room', 'plays.ts', '.length < (user.terms?.max ?? Infinity)', '.length < 0'],
  ['10: who fights is out everywhere', 'outs.ts', 'return fights ?', 'return false ?'],
  [
    '13: nobody goes for what has no credential',
    'rules.ts',
    'if (tokenless && outcome.gone.length > 0)',
    'if (false)',
  ],
] as const

const source = fileURLToPath(new URL('../../src', import.meta.url))

describe('a rule that is missing is noticed', () => {
  for (const [rule, file, text, replacement] of mutants)
    test(`rule ${rule}`, async (t) => {
      const folder = makeTemporaryFolder(t)
      cpSync(source, folder, { recursive: true })
      symlinkSync(join(source, '../node_modules'), join(folder, 'node_modules'))
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      const before = readFileSync(join(source, 'limit', file), 'utf8')
      assert.equal(before.split(text).length, 2, `${file} holds "${text}" once`)
      writeFileSync(join(folder, 'limit', file), before.replace(text, replacement))
      const load = (name: string) => import(pathToFileURL(join(folder, 'limit', name)).href)
      const [rules, plays, user] = await Promise.all(['rules.ts', 'plays.ts', 'user.ts'].map(load))
      const mutant = { ...rules, ...plays, ...user } as LimitRules
      const histories = fc.oneof(historiesOf(2, 'newest'), historiesOf(2, 'refuse'))
      const property = fc.property(histories, (history) => playHistory(history, nothingShown(), mutant))
      const result = fc.check(property, { numRuns: 300, seed: 20_261_202, endOnFailure: true })
      assert.ok(result.failed, `${result.numRuns} histories did not notice`)
      t.diagnostic(`noticed by history ${result.numRuns}: ${String(result.errorInstance).split('\n')[0]}`)
    })
})
