import fc from 'fast-check'
import type { Subrequest } from '../../src/subrequest.ts'

/** Two client requests that are equal, or nearly equal: a careless key would be the same for both. */
export interface NearPair {
  readonly a: Subrequest
  readonly b: Subrequest
}

type Field = 'address' | 'userAgent' | 'playbackId' | 'origin' | 'path'
interface Draft extends Record<Field, string> {
  readonly pieces: readonly string[]
}
/** Random choices as numbers, so that fast-check can shrink a mutation like any other value. */
type Mutate = (draft: Draft, m: number, n: number) => Draft

const fields = ['address', 'userAgent', 'playbackId', 'origin', 'path'] as const
/** What a careless key would use as a delimiter, or would decode. */
const delimiters = [' ', '|', ':', ',', ';', '?', '&', '=', '#', '%', '%0A', '%0a', '\\n', '/', '"', 'path']

const keptPiece = fc.oneof(
  fc.constantFrom('', 'token=X', 'token=Y', 'token', 'a=1', 'a=%41', 'a=A', 'b=2', '=', 'path', '/x=1'),
  fc.constantFrom('_hls_msn=1', '_HLS', 'CMCDX=1', 'xCMCD', 'cmcd=1', 'a=CMCD', 'a=_HLS_msn'),
  fc.stringMatching(/^[a-f0-9=%;:|?/'"_~-]{0,6}$/),
)
const ignoredPiece = fc.constantFrom('_HLS_msn=1', '_HLS_part=2', '_HLS_', 'CMCD', 'CMCD=bl%3D2', 'CMCD=')

const text = fc.oneof(
  fc.constantFrom(
    '',
    'VLC/3.0.21',
    'Mozilla/5.0 (X11; Linux)',
    '192.0.2.1',
    'https://live.example.com',
    'abc',
  ),
  fc.string({ maxLength: 8, unit: 'grapheme-ascii' }),
)
const path = fc.oneof(
  fc.constantFrom(
    '/',
    '/live/ch1.m3u8',
    '/live/ch1-0001.ts',
    '/live/ch1/seg.ts',
    '/live/ch10.m3u8',
    '/live/',
  ),
  fc.constantFrom(
    '/ch1',
    '/ch10',
    '/live/-ch1',
    '/vod/film1.mp4',
    '/vod/film2.mp4',
    '/live/CH1.m3u8',
    '/vod/live/ch1.m3u8',
  ),
  text.map((rest) => `/${rest}`),
)
const draft: fc.Arbitrary<Draft> = fc.record({
  address: fc.oneof(fc.constantFrom('192.0.2.1', '192.0.2.11', '2001:db8::1'), text),
  userAgent: text,
  playbackId: text,
  origin: fc.oneof(fc.constantFrom('http://a.example', 'https://a.example', 'https://a.example:443'), text),
  path,
  pieces: fc.array(fc.oneof({ weight: 3, arbitrary: keptPiece }, ignoredPiece), { maxLength: 5 }),
})

const word = fc.constantFrom('', 'a', 'b', 'token=X', '1', 'channel', 'path')
/** Each part beside each other one, in both orders. */
const boundaries = [...fields, 'query' as const].flatMap((left, at, all) =>
  all.toSpliced(at, 1).map((right) => [left, right] as const),
)

const isPlain = (piece: string): boolean => !/^(?:_HLS_|CMCD)/.test(piece)
const pick = <Item>(list: readonly Item[], n: number, otherwise: Item): Item =>
  list[n % Math.max(1, list.length)] ?? otherwise
const fieldOf = (n: number): Field => pick(fields, n, 'path')

const insert = (into: string, what: string, n: number): string => {
  const at = n % (into.length + 1)
  return into.slice(0, at) + what + into.slice(at)
}
const encode = (one: string, n: number): string => {
  if (one === '') return '%20'
  const at = n % one.length
  return `${one.slice(0, at)}%${one.charCodeAt(at).toString(16)}${one.slice(at + 1)}`
}
const otherCase = (one: string): string => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())

const changePiece = (one: Draft, m: number, change: (piece: string) => string): Draft => {
  const at = m % Math.max(1, one.pieces.length)
  const piece = one.pieces[at]
  if (piece === undefined || !isPlain(piece)) return one
  return { ...one, pieces: one.pieces.with(at, change(piece)) }
}

const mutations: readonly Mutate[] = [
  (one) => one,
  // Ignored parameters are added or removed. The pair stays equal.
  (one) => ({ ...one, pieces: one.pieces.filter(isPlain) }),
  (one, m, n) => ({
    ...one,
    pieces: one.pieces.toSpliced(m % (one.pieces.length + 1), 0, n % 2 ? 'CMCD=9' : '_HLS_x'),
  }),
  // Another file, perhaps of the same channel.
  (one, m) => ({
    ...one,
    path: pick(['/live/ch1.m3u8', '/live/ch1-2.ts', '/live/ch1', '/live/ch10', '/ch1'], m, '/'),
  }),
  // Delimiters, encodings, case, empty parts.
  (one, m, n) => ({ ...one, [fieldOf(m)]: insert(one[fieldOf(m)], pick(delimiters, n, ' '), n >> 5) }),
  (one, m, n) => ({ ...one, [fieldOf(m)]: encode(one[fieldOf(m)], n) }),
  (one, m) => ({ ...one, [fieldOf(m)]: otherCase(one[fieldOf(m)]) }),
  (one, m) => ({ ...one, [fieldOf(m)]: '' }),
  (one, m, n) =>
    changePiece(one, m, (piece) => insert(piece, pick(['=', ';', '|', '/', '"'], n, '='), n >> 5)),
  (one, m, n) => changePiece(one, m, (piece) => encode(piece, n)),
  (one, m) => changePiece(one, m, otherCase),
  (one, m) => changePiece(one, m, () => ''),
  // A part moves from one field to the next.
  (one, m, n) => {
    const [from, to] = [fieldOf(m), fieldOf(m + 1)]
    const at = n % (one[from].length + 1)
    return { ...one, [from]: one[from].slice(0, at), [to]: one[from].slice(at) + one[to] }
  },
  (one, _m, n) => {
    const at = n % (one.playbackId.length + 1)
    return {
      ...one,
      playbackId: one.playbackId.slice(at),
      userAgent: one.userAgent + one.playbackId.slice(0, at),
    }
  },
  (one) => ({ ...one, path: `${one.path}?${one.pieces.join('&')}`, pieces: [] }),
  (one, m) => changePiece(one, m, (piece) => `x${piece}`),
  (one, m, n) => ({ ...one, [fieldOf(m)]: one[fieldOf(n)], [fieldOf(n)]: one[fieldOf(m)] }),
  // Another order, doubled parts, joined parts.
  (one) => ({ ...one, pieces: one.pieces.toReversed() }),
  (one, m) => ({ ...one, pieces: [...one.pieces, ...one.pieces.slice(0, m % 3)] }),
  (one, m) => ({ ...one, pieces: one.pieces.toSpliced(m % 5, 1) }),
  (one, m) => ({ ...one, pieces: [one.pieces.join(pick([';', '%26', '='], m, ';'))] }),
  (one) => ({ ...one, pieces: [...one.pieces, ''] }),
]

const mutation = fc.tuple(
  fc.integer({ min: 0, max: mutations.length - 1 }),
  fc.nat({ max: 999 }),
  fc.nat({ max: 99_999 }),
)

function toSubrequest({ pieces, ...rest }: Draft): Subrequest {
  return { ...rest, query: pieces.join('&') }
}

/** Whether an ignored name is hidden by an encoding. Another test decides whether that counts as ignored. */
function hidesName({ query }: Subrequest): boolean {
  return query.split('&').some((piece) => {
    const shown = piece.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    return shown !== piece && /^[ +]*(?:.HLS_|CMCD)/.test(shown)
  })
}

/**
 * With the delimiter between their parts both read the same: the delimiter and the text before it move to the
 * other part.
 */
const twins: fc.Arbitrary<NearPair> = fc
  .tuple(draft.map(toSubrequest), fc.constantFrom(...boundaries), fc.constantFrom(...delimiters), word, word)
  .map(([one, [left, right], delimiter, before, after]) => ({
    a: { ...one, [right]: `${before}${delimiter}${after}` },
    b: { ...one, [left]: `${one[left]}${delimiter}${before}`, [right]: after },
  }))

/**
 * A client request, and the same request with one to three small changes. Some of the changes do not count.
 */
const neighbours: fc.Arbitrary<NearPair> = fc
  .tuple(draft, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([first, changes]) => {
    const second = changes.reduce(
      (one, [which, m, n]) => (mutations[which] ?? ((same) => same))(one, m, n),
      first,
    )
    return { a: toSubrequest(first), b: toSubrequest(second) }
  })

export const nearPairs: fc.Arbitrary<NearPair> = fc
  .oneof({ weight: 3, arbitrary: neighbours }, twins)
  .filter(({ a, b }) => !hidesName(a) && !hidesName(b))
