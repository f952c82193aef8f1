import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findingsOf } from '../../src/check/finding.ts'
import { formatFindings, formatJson, formatSum, isGood } from '../../src/check/report.ts'

const plain = { colour: false, width: undefined }

describe('what check prints', () => {
  test('one line for each finding, the remedy below it', () => {
    const findings = [
      findingsOf('settings').ok('right'),
      findingsOf('clock').warning('late', 'set it'),
      findingsOf('gate').failed('absent', 'start it'),
    ]
    assert.equal(
      formatFindings(findings, plain),
      `✔ settings             right
! clock                late
                       → set it
✘ gate                 absent
                       → start it
`,
    )
  })

  test('one line for neighbours that were skipped for one cause', () => {
    const findings = [
      findingsOf('admin').skipped('why'),
      findingsOf('clock').skipped('why'),
      findingsOf('nginx').skipped('other'),
    ]
    assert.equal(
      formatFindings(findings, plain),
      `– 2 checks             why (admin, clock)
– nginx                other
`,
    )
  })

  test('one remedy for several findings of a check, below the last', () => {
    const findings = [
      findingsOf('settings').failed('a', 'correct it'),
      findingsOf('settings').failed('b', 'correct it'),
    ]
    assert.equal(
      formatFindings(findings, plain),
      `✘ settings             a
✘ settings             b
                       → correct it
`,
    )
  })

  test('with several backends, which of them', () => {
    const of = (backend: string) => ({ ...findingsOf('backend-answer').ok('answers 403'), backend })
    assert.equal(
      formatFindings([of('http://a/'), of('http://a/'), of('http://b/')], plain),
      `http://a/:
✔ backend-answer       answers 403
✔ backend-answer       answers 403
http://b/:
✔ backend-answer       answers 403
`,
    )
  })

  test('as wide as the terminal', () => {
    const findings = [
      findingsOf('gate').failed(
        'one two three four five six seven eight',
        'a b c d e f g h i j k l m n o p q r s',
      ),
    ]
    assert.equal(
      formatFindings(findings, { colour: false, width: 60 }),
      `✘ gate                 one two three four five six seven
                       eight
                       → a b c d e f g h i j k l m n o p q r
                         s
`,
    )
  })

  test('at the end how many of each', () => {
    const two = [findingsOf('gate').failed('a', 'b'), findingsOf('clock').warning('a', 'b')]
    assert.equal(formatSum(two), '\n1 failed, 1 warning.\n')
    assert.equal(formatSum([findingsOf('gate').ok('a')]), '\nNothing failed.\n')
    assert.deepEqual([isGood(two), isGood(two.slice(1))], [false, true])
  })

  test('on one line, whatever others have written', () => {
    const text = formatFindings([findingsOf('nginx').failed('a\n\x1b[2Jb', 'c\rd')], plain)
    assert.equal(text, '✘ nginx                a\\u000a\\u001b[2Jb\n                       → c\\u000dd\n')
  })

  test('for machines, the figures beside the finding, and the backend', () => {
    const gate = { ...findingsOf('gate').ok('a', undefined, { ms: 3 }), backend: 'http://a/' }
    assert.deepEqual(JSON.parse(formatJson([gate, findingsOf('clock').failed('b', 'c')])), {
      ok: false,
      checks: [
        { name: 'gate', result: 'ok', finding: 'a', ms: 3, backend: 'http://a/' },
        { name: 'clock', result: 'failed', finding: 'b', remedy: 'c' },
      ],
    })
  })
})
