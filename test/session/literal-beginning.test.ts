import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { leavesChannelsOpen, literalBeginning } from '../../src/session/scope.ts'
import { rounds } from '../support/rounds.ts'

/** A CHANNEL_PATTERN, and what every path with a channel begins with. */
const patterns: readonly (readonly [pattern: string, beginning: string | undefined])[] = [
  ['^/live/([^/]+)/', '/live/'],
  ['^\\/live\\/([^\\/]+)\\/', '/live/'],
  ['^/live/([^/.-]+)', '/live/'],
  ['^/tv\\.example/([^/]+)/', '/tv.example/'],
  ['^/live/ch(\\d+)/', '/live/ch'],
  ['^/live/?([^/]+)', '/live'],
  ['^/live/*([^/]+)', '/live'],
  ['^/live/+([^/]+)', '/live/'],
  ['^/live/{1,2}([^/]+)', '/live'],
  ['^/live/{0}([^/]+)', '/live'],
  ['^/live\\/?([^/]+)', '/live'],
  ['^/live.([^/]+)/', '/live'],
  ['^/live\\d/([^/]+)/', '/live'],
  ['^/live\\b/([^/]+)/', '/live'],
  ['^/live[12]/([^/]+)/', '/live'],
  ['^/live(?:/hd)?/([^/]+)/', '/live'],
  ['^/live/(?:hd|sd)/([^/]+)/', '/live/'],
  ['^/live/([a|b]+)/', '/live/'],
  ['^/a\\|b/([^/]+)/', '/a|b/'],
  ['^/live/$|^/(x)', undefined],
  ['^/a/(x)|^/b/(y)', undefined],
  ['^/a/(x)|b', undefined],
  ['/live/([^/]+)/', undefined],
  ['^/([^/]+)/', undefined],
  ['^/?live/([^/]+)', undefined],
  ['^/+live/([^/]+)', undefined],
  ['^(/live/[^/]+)/', undefined],
  ['^/(?:live|tv)/([^/]+)/', undefined],
  ['^.*/([^/]+)/', undefined],
  ['^', undefined],
]

describe('the text before the first metacharacter of a CHANNEL_PATTERN', () => {
  for (const [pattern, beginning] of patterns) {
    test(`${pattern}: ${beginning ?? 'none'}`, () => {
      assert.equal(literalBeginning(new RegExp(pattern)), beginning)
    })
  }

  test('is none where case does not count', () => {
    assert.equal(literalBeginning(/^\/live\/([^/]+)\//i), undefined)
  })

  test('begins whatever the pattern matches', () => {
    const piece = fc.constantFrom(
      '/',
      'live',
      'a',
      '\\/',
      '\\.',
      '.',
      '?',
      '+',
      '*',
      '{1,2}',
      '|',
      '[a/]',
      '(?:a|/)',
      '\\d',
      '(b)',
    )
    const path = fc.stringMatching(/^[/livea.b0|]{1,12}$/)
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), path, (pieces, text) => {
        let pattern: RegExp
        try {
          pattern = new RegExp(`^${pieces.join('')}`)
        } catch {
          return
        }
        const beginning = literalBeginning(pattern)
        if (beginning !== undefined && pattern.test(text))
          assert.ok(text.startsWith(beginning), `${pattern} ${text}`)
      }),
      { numRuns: rounds(5_000, 20_000), seed: 12 },
    )
  })
})

describe('channels lie open to an invented playlist', () => {
  for (const pattern of ['/live/([^/]+)/', '^/(?:live|tv)/([^/]+)/', '^/a/(x)|^/b/(y)', '^.*/([^/]+)/'])
    test(`with ${pattern}`, () => assert.equal(leavesChannelsOpen(new RegExp(pattern)), true))
  for (const pattern of ['^/live/([^/]+)/', '^/live/([^/.-]+)', '^/([^/]+)/', '^/([^/.-]+)'])
    test(`not with ${pattern}`, () => assert.equal(leavesChannelsOpen(new RegExp(pattern)), false))
})
