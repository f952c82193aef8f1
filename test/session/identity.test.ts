import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readAddress } from '../../src/address.ts'
import { createIdentify, type Identity, verdictKeyOf } from '../../src/session/identity.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { rounds } from '../support/rounds.ts'
import { wordsOf } from '../support/words.ts'

const names = { tokenParams: [], ignoredParams: [] }
const identify = createIdentify({
  tokenParams: ['token', 'key'],
  ignoredParams: ['_HLS_*', 'CMCD'],
  // The channel starts with a slash, so that it can read like a path.
  channelPattern: /^\/live(\/[^/.-]+)/,
  credentialPattern: undefined,
})
const ofQuery = (query: string): Identity => identify({ ...clientRequest('/'), query })

/** Two client requests that are equal, or nearly equal: a careless key would be the same for both. */
interface NearPair {
  readonly a: Subrequest
  readonly b: Subrequest
}
const fields = ['address', 'userAgent', 'playbackId', 'origin', 'path', 'query'] as const
/** What a careless key would use as a delimiter, or would decode. */
const delimiters = [' ', ...wordsOf(String.raw`| : , ; ? & = # % %0A %0a \n / " path`)]
const text = fc.oneof(
  fc.constantFrom('', ...wordsOf('VLC/3.0.21 192.0.2.1 https://live.example.com abc')),
  fc.string({ maxLength: 8, unit: 'grapheme-ascii' }),
)
const kept = fc.oneof(
  fc.constantFrom(
    '',
    ...wordsOf('token=X token=Y token a=1 a=%41 a=A b=2 = path /x=1 _hls_msn=1 _HLS CMCDX=1 a=CMCD'),
  ),
  fc.stringMatching(/^[a-f0-9=;:|?/'"_~-]{0,6}$/),
)
const ignored = fc.constantFrom(...wordsOf('_HLS_msn=1 _HLS_part=2 _HLS_ CMCD CMCD=bl%3D2 CMCD='))
const query = fc
  .array(fc.oneof({ weight: 3, arbitrary: kept }, ignored), { maxLength: 5 })
  .map((pieces) => pieces.join('&'))
const paths = wordsOf(`/ /live/ch1.m3u8 /live/ch1-0001.ts /live/ch1/seg.ts /live/ch10.m3u8 /live/ /ch1 /ch10
  /live/-ch1 /vod/film1.mp4 /live/CH1.m3u8 /vod/live/ch1.m3u8`)
const someRequest: fc.Arbitrary<Subrequest> = fc.record({
  address: fc.oneof(fc.constantFrom(...wordsOf('192.0.2.1 192.0.2.11 2001:db8::1')), text),
  userAgent: text,
  playbackId: text,
  origin: fc.oneof(
    fc.constantFrom(...wordsOf('http://a.example https://a.example https://a.example:443')),
    text,
  ),
  path: fc.oneof(
    fc.constantFrom(...paths),
    text.map((rest) => `/${rest}`),
  ),
  query,
})
/** One field is another text, in another case, empty, or longer by a delimiter or an ignored parameter. */
const changed = fc
  .tuple(someRequest, fc.constantFrom(...fields), fc.constantFrom(...delimiters), someRequest, fc.nat(7))
  .map(([a, field, delimiter, other, how]): NearPair => {
    const own = a[field]
    const texts = [own, other[field], `${own}${delimiter}`, `${delimiter}${own}`, own.toUpperCase(), '']
    if (how < texts.length) return { a, b: { ...a, [field]: texts[how] } }
    const more = how === 6 ? ['CMCD=9', a.query] : [a.query, '_HLS_x']
    return { a, b: { ...a, query: (a.query === '' ? more.filter(Boolean) : more).join('&') } }
  })
/**
 * With the delimiter between their parts both read the same: the delimiter and the text before it move to the
 * other part.
 */
const twins = fc
  .tuple(
    someRequest,
    fc.constantFrom(...fields),
    fc.constantFrom(...fields),
    fc.constantFrom(...delimiters),
    text,
  )
  .map(
    ([one, left, right, delimiter, before]): NearPair => ({
      a: { ...one, [right]: `${before}${delimiter}a` },
      b: { ...one, [left]: `${one[left]}${delimiter}${before}`, [right]: 'a' },
    }),
  )
const nearPairs = fc
  .oneof({ weight: 3, arbitrary: changed }, twins)
  // Names that an encoding hides have rows below.
  .filter(({ a, b }) => ![a, b].some(({ query }) => /(?:^|&)(?:[^&_]HLS_|[+ %])/.test(query)))

/** The first 64 bits of an address of 2000::/3; any other address. */
function clientOf(address: string): string {
  const [left = '', right] = address.split('::')
  const isNumbered =
    address.includes(':') && ['2', '3'].includes(address[0] ?? '') && left.split(':')[0]?.length === 4
  if (!isNumbered || left === '2001' || left.startsWith('2001:0:')) return address
  const first = left.split(':')
  const last = right === undefined || right === '' ? [] : right.split(':')
  while (first.length + last.length < 8) first.push('0')
  return [...first, ...last].slice(0, 4).join(':')
}

/** The design's words, written a second time, without regular expressions and without shared code. */
function tupleOf(subrequest: Subrequest): string {
  const { address, userAgent, playbackId, origin, path } = subrequest
  let channel = ''
  if (path.startsWith('/live/')) {
    for (const character of path.slice('/live/'.length)) {
      if (character === '/' || character === '.' || character === '-') break
      channel += character
    }
  }
  const place = channel === '' ? ['path', path] : ['channel', `/${channel}`]
  const isKept = (piece: string): boolean => {
    const name = piece.split('=', 1)[0] ?? ''
    return name !== 'CMCD' && !name.startsWith('_HLS_')
  }
  const canonical = subrequest.query.split('&').filter(isKept).join('&')
  return JSON.stringify([clientOf(address), userAgent, playbackId, origin, place, canonical])
}

describe('the verdict key', () => {
  test('is equal exactly when viewer, origin, path or channel and canonical query are', () => {
    const runs = rounds(5_000, 20_000)
    let equal = 0
    let unequal = 0
    const holds = ({ a, b }: NearPair): void => {
      // The gate spells every IPv6 address in one way before.
      fc.pre([a, b].every(({ address }) => !address.includes(':') || readAddress(address) === address))
      const same = tupleOf(a) === tupleOf(b)
      assert.equal(verdictKeyOf(identify(a)) === verdictKeyOf(identify(b)), same)
      if (same) equal++
      else unequal++
    }
    fc.assert(fc.property(nearPairs, holds), { numRuns: runs })
    // A generator of only one kind of pair would prove nothing.
    assert.ok(equal > runs / 20, `only ${equal} equal pairs`)
    assert.ok(unequal > runs / 2, `only ${unequal} unequal pairs`)
  })

  test('a channel takes the place of the path, and a path without one keeps its own', () => {
    const key = (path: string): string => verdictKeyOf(identify(clientRequest(path)))
    assert.equal(key('/live/ch1.m3u8'), key('/live/ch1-0001.ts'))
    assert.notEqual(key('/live/ch1.m3u8'), key('/live/ch10.m3u8'))
    assert.notEqual(key('/vod/ch1.m3u8'), key('/vod/ch1-0001.ts'))
  })

  test('a group that takes no part in the match, or is empty, is no channel', () => {
    for (const channelPattern of [/^\/live\/(?:x(\d))?/, /^\/live\/(\d*)/]) {
      const optional = createIdentify({ ...names, channelPattern, credentialPattern: undefined })
      assert.equal(optional(clientRequest('/live/a.ts')).channel, undefined)
    }
  })
})

describe('the canonical query', () => {
  const rows: readonly [query: string, canonical: string][] = [
    ['', ''],
    ['token=X', 'token=X'],
    ['token=X&_HLS_msn=5', 'token=X'],
    ['_HLS_msn=5&token=X', 'token=X'],
    ['a=1&_HLS_msn=5&_HLS_part=2&b=2', 'a=1&b=2'],
    ['_HLS_skip=YES&a=1&CMCD=br%3D100&b=2&_HLS_push=0', 'a=1&b=2'],
    ['CMCD', ''],
    ['CMCD=', ''],
    ['_HLS_', ''],
    ['_HLS_=1', ''],
    ['CMCD=a=b', ''],
    ['CMCD&CMCD&a', 'a'],
    // As PHP would register them.
    ['%43MCD=1&a=1', 'a=1'],
    ['%5FHLS_msn=1&a=1', 'a=1'],
    ['.HLS_msn=1&a=1', 'a=1'],
    ['+CMCD=1&a=1', 'a=1'],
    ['CMCD[br]=1&CMCD[]=2&a=1', 'a=1'],
    ['CMCD%00x=1&a=1', 'a=1'],
    // Similar names stay.
    ['_hls_msn=5', '_hls_msn=5'],
    ['_HLS=5', '_HLS=5'],
    ['HLS_msn=5', 'HLS_msn=5'],
    ['x_HLS_msn=5', 'x_HLS_msn=5'],
    ['CMCDX=1', 'CMCDX=1'],
    ['CMCD.=1', 'CMCD.=1'],
    ['%2543MCD=1', '%2543MCD=1'],
    ['xCMCD=1', 'xCMCD=1'],
    ['cmcd=1', 'cmcd=1'],
    ['a=CMCD', 'a=CMCD'],
    ['a=1;CMCD=2', 'a=1;CMCD=2'],
    ['=CMCD', '=CMCD'],
    // Nothing is decoded, sorted, joined or tidied.
    ['b=2&a=1', 'b=2&a=1'],
    ['a=%41&a=A&a=%61', 'a=%41&a=A&a=%61'],
    ['token=bad&token=good', 'token=bad&token=good'],
    ['token=X&token=X', 'token=X&token=X'],
    ['a=1&&b=2&', 'a=1&&b=2&'],
    ['&&', '&&'],
    ['a=1&&CMCD=1&b=2&', 'a=1&&b=2&'],
    ['?token=X', '?token=X'],
    ['a=\'"<>+%20%zz', 'a=\'"<>+%20%zz'],
  ]
  for (const [query, canonical] of rows) {
    test(`${query || 'no query'} → ${canonical || 'nothing'}`, () => {
      assert.equal(ofQuery(query).query, canonical)
    })
  }

  test('ignored parameters are left out wherever they stand, and nothing else changes', () => {
    const kept = fc.stringMatching(/^[a-z%0-9=+;'"]{0,8}$/)
    const ignored = fc.constantFrom('CMCD', 'CMCD=x', 'CMCD=bl%3D1', '_HLS_msn=7', '_HLS_part', '_HLS_')
    const pieces = fc.array(
      fc.oneof(
        kept.map((text) => ({ text, stays: true })),
        ignored.map((text) => ({ text, stays: false })),
      ),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(pieces, (list) => {
        const query = list.map(({ text }) => text).join('&')
        const rest = list.filter(({ stays }) => stays).map(({ text }) => text)
        assert.equal(ofQuery(query).query, rest.join('&'))
      }),
      { numRuns: rounds(3_000, 10_000) },
    )
  })

  test('the list is a setting', () => {
    const other = createIdentify({
      ...names,
      ignoredParams: ['t', 'utm*'],
      channelPattern: undefined,
      credentialPattern: undefined,
    })
    assert.equal(other(clientRequest('/?t=1&tt=2&utm=3&utm_x=4&CMCD=5')).query, 'tt=2&CMCD=5')
  })
})

describe('a credential', () => {
  // Each row was read by PHP 8's parse_str.
  const carrying = [
    ...['token=1', 'token', 'token=', 'a=1&token=2', '&&token', 'token=1&', 'token=bad&token=good'],
    ...['to%6ben=1', '%74oken=1', 'token[]=1', 'token[]', 'token[a]=1', 'token%5B%5D=1', 'token%5Ba%5D=1'],
    ...['+token=1', '%20token=1', '++token=1', 'token%00x=1', 'token%00', 'key=1'],
  ]
  for (const query of carrying) {
    test(`${query} carries one`, () => assert.equal(ofQuery(query).credential, true))
  }

  const bare = [
    ...['', '&', '=', 'a=1', 'tokens=1', 'xtoken=1', 'Token=1', 'TOKEN=1', '%54oken=1', 'a=token', '=token'],
    ...['token.=1', 'token[a=1', 'token+=1', '%00token=1', '%2Btoken=1', 'token%3D1', '%2574oken=1'],
    ...['a=1;token=2', '?token=1', '[token]=1', 'token]=1', 'token%', 'to+ken=1', 'keys', 'CMCD=token'],
  ]
  for (const query of bare) {
    test(`${query || 'no query'} carries none`, () => assert.equal(ofQuery(query).credential, false))
  }
})
