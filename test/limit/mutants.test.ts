import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { historiesOf, nothingShown, playHistory } from '../support/limit-history.ts'
import type { LimitRules } from '../support/pretend-user.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** Each drops one rule: in a file, one text in place of another. */
const mutants = [
  ['2: a left play does not count', 'plays.ts', 'left: isLeft(play, at),', 'left: false,'],
  ['2: it counts again when it goes on', 'plays.ts', 'return isGoneFor(play, next)', 'return true'],
  ['3: what is over is displaced', 'excess.ts', 'if (over <= 0)', 'if (over <= 0 || over > 0)'],
  ['3: an opening is let in', 'excess.ts', '.filter((play) => play !== opening?.play)', ''],
  ['5: a displaced URL is held', 'holds.ts', 'urlUntil: isHeld && ', 'urlUntil: false && '],
  ['5: a held one is let in where there is room', 'holds.ts', 'return others.length >= max', 'return true'],
  ['4: who plays keeps playing', 'admit.ts', "terms.policy === 'refuse' &&", 'false &&'],
] as const

const source = fileURLToPath(new URL('../../src/limit', import.meta.url))

describe('a rule that is missing is noticed', () => {
  for (const [rule, file, text, replacement] of mutants)
    test(`rule ${rule}`, async (t) => {
      const folder = makeTemporaryFolder(t)
      cpSync(source, folder, { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      const before = readFileSync(join(source, file), 'utf8')
      assert.equal(before.split(text).length, 2, `${file} holds "${text}" once`)
      writeFileSync(join(folder, file), before.replace(text, replacement))
      const load = (name: string) => import(pathToFileURL(join(folder, name)).href)
      const [admit, look, plays, prune, user] = await Promise.all(
        ['admit.ts', 'look.ts', 'plays.ts', 'prune.ts', 'user.ts'].map(load),
      )
      const mutant = { ...admit, ...look, ...plays, ...prune, ...user } as LimitRules
      const histories = fc.oneof(historiesOf(2, 'newest'), historiesOf(2, 'refuse'))
      const property = fc.property(histories, (history) => playHistory(history, nothingShown(), mutant))
      const result = fc.check(property, { numRuns: 300, seed: 20_261_128, endOnFailure: true })
      assert.ok(result.failed, `${result.numRuns} histories did not notice`)
      t.diagnostic(`noticed by history ${result.numRuns}: ${String(result.errorInstance).split('\n')[0]}`)
    })
})
