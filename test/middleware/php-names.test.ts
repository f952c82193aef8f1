import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { phpNameOf } from '../../src/subrequest.ts'
import { fromHex } from '../support/php-oracle.ts'
import { suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { wordsOf } from '../support/words.ts'

/**
 * Reads one `name=value` in hex a line. Prints the name that PHP registers in hex, or nothing when it
 * registers none.
 */
const namer = `<?php
while (($line = fgets(STDIN)) !== false) {
    $registered = [];
    parse_str(hex2bin(trim($line)), $registered);
    echo bin2hex((string) (array_key_first($registered) ?? '')), "\\n";
}
`

const edges = [
  ...[
    '',
    ' ',
    '   ',
    ' a',
    '  %20+a',
    'a ',
    'a b',
    ' [',
    ' [x]',
    '[ a',
    'a[ ]',
    'a[ b',
    'a[ ',
    'a[%09b c',
    'a[b c.d',
  ],
  ...wordsOf(String.raw`
    a  +  %20%20  ++a  %20a  .  ..  .a  a.  a.b  _  0  01  -1  1.5  this  a;b  ;  a'b  a"b  a\b  %e9  %C3%A9  %ff.%ff
    [  []  [x]  [x  [[  [[x]  [a][b  [.a  ]  ]a[  .[  .[x]  _[
    a[  a[]  a[b  a[b]c  a[b][c  a[b][  a]b[c  a]  a][  a[]]  a.b[c.d]  a[%09]  a[%09  a[b.c[d+e
    a[[b]  a[[  a[[[]  a.[  a[.  a[.b  a[b[c
    a%00  a%00b  a%00[b]  a[%00]  a[b%00]  %00  %00a  +%00a  a.%00.  a%2500b
    %  %4  %zz  a%  a%5  a%5B  a%5Bx%5D  a%5bx%5d  a%5Bx  a%2eb  a%2Bb  a%25b  a%26b  a%3Db`),
]

const atoms = wordsOf(String.raw`
  a k Z 0 _ - + . [ ] ; = % %4 %zz %00 %20 %2e %2E %5B %5b %5D %5d %2B %25 %26 %3D %09 %61 %e9 " ' / | \ `)

describe('phpNameOf names a parameter as PHP does', () => {
  const scope = suiteScope()
  const file = join(makeTemporaryFolder(scope), 'namer.php')
  writeFileSync(file, namer)
  const phpNames = (pieces: readonly string[]): string[] => {
    const input = pieces.map((piece) => `${Buffer.from(piece, 'latin1').toString('hex')}\n`).join('')
    const output = execFileSync('php', [file], { input, encoding: 'latin1', maxBuffer: 1 << 26 })
    return output.split('\n').slice(0, -1).map(fromHex)
  }

  test('in the edge cases, with and without a value', () => {
    const pieces = edges.flatMap((edge) => [edge, `${edge}=1`])
    const names = phpNames(pieces)
    assert.deepEqual(
      pieces.map((piece) => [piece, phpNameOf(piece)]),
      pieces.map((piece, index) => [piece, names[index]]),
    )
  })

  test('for thousands of nasty names', () => {
    const name = fc
      .array(fc.constantFrom(' ', ...atoms), { minLength: 1, maxLength: 9 })
      .map((parts) => parts.join(''))
    // One PHP process serves all of them, so there is no shrinking. The shortest failing cases are shown.
    const seed = Math.floor(Math.random() * 2 ** 31)
    const pieces = [...new Set(fc.sample(name, { seed, numRuns: 10_000 }))].map((one) => `${one}=1`)
    const names = phpNames(pieces)
    const wrong = pieces
      .map((piece, index) => ({ piece, ours: phpNameOf(piece), php: names[index] }))
      .filter(({ ours, php }) => ours !== php)
      .sort((a, b) => a.piece.length - b.piece.length)
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${pieces.length} with seed ${seed}`)
    assert.ok(names.filter((one) => one !== '').length > pieces.length / 2, 'PHP registers most of them')
  })
})
