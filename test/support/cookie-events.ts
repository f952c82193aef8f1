import fc from 'fast-check'
import type { CookieMode } from '../../src/subrequest.ts'

export const SITES = ['https://live.example.com', 'https://other.example.com']

/** Three behind one NAT with the same player, of whom one keeps no cookies, and two alone. */
export const people = [
  { address: '192.0.2.1', userAgent: 'VLC', hasJar: true },
  { address: '192.0.2.1', userAgent: 'VLC', hasJar: true },
  { address: '192.0.2.1', userAgent: 'VLC', hasJar: false },
  { address: '198.51.100.1', userAgent: 'Chrome', hasJar: true },
  { address: '198.51.100.2', userAgent: 'VLC', hasJar: false },
]
export const AWAY = { address: '203.0.113.9', userAgent: 'Chrome on the road' }
const paths = [
  '/a/index.m3u8',
  '/a/1.ts',
  '/a/hd/v.m3u8',
  '/a/hd/1.ts',
  '/b/index.m3u8',
  '/b/1.ts',
  '/film.mp4',
]
const queries = ['', '', '', 'token=X', 'token=X', 'token=Y', 'token=X&_HLS_msn=1']

const ask = fc.record({
  kind: fc.constant('ask' as const),
  person: fc.nat(people.length - 1),
  path: fc.constantFrom(...paths),
  query: fc.constantFrom(...queries),
  mode: fc.constantFrom<CookieMode[]>('off', 'on', 'strict', 'strict'),
  sends: fc.constantFrom('own' as const, 'own' as const, 'own' as const, 'nothing' as const, 'any' as const),
  which: fc.nat(100),
  isAway: fc.constantFrom(false, false, false, true),
  site: fc.constantFrom(0, 0, 0, 0, 0, 1),
})
/** Opens a channel and plays it, at home and on the road. */
const play = fc.record({
  kind: fc.constant('play' as const),
  person: fc.nat(people.length - 1),
  channel: fc.constantFrom('a', 'b'),
  mode: fc.constantFrom<CookieMode[]>('on', 'strict'),
})
const of = <Kind extends string>(...kinds: Kind[]) => fc.record({ kind: fc.constantFrom(...kinds) })
const event = fc.oneof(
  { arbitrary: ask, weight: 24 },
  { arbitrary: play, weight: 6 },
  { arbitrary: of('hold', 'answer', 'answer all', 'down', 'up', 'up', 'up', 'up'), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('close' as const), which: fc.nat(100) }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.constantFrom(1, 900, 1_000, 1_000, 5_000, 9_000, 21_000, 31_000),
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('tokens' as const),
      valid: fc.constantFrom(['X', 'Y'], ['X', 'Y'], ['X', 'Y'], ['X'], []),
    }),
    weight: 2,
  },
)
export const cookieHistories = fc.array(event, { minLength: 60, maxLength: 160 })
export type CookieEvent = typeof event extends fc.Arbitrary<infer Event> ? Event : never
