/**
 * What one client request is made of. Missing fields get a usual value. The target is sent as it is
 * (latin-1).
 */
export interface Asking {
  readonly target: string
  /** The last number of the client's address. */
  readonly host?: number
  readonly userAgent?: string
  readonly playbackId?: string
  /** The whole Host line. */
  readonly site?: string
  readonly tls?: boolean
}

/** What a viewer asks for first, in order, and what is asked for after that. */
export type Pair = readonly [what: string, first: readonly Asking[], then: Asking]

const playlist = '/live/one/index.m3u8?token=X'
const segment = '/live/one/1.ts'
const open = (...targets: readonly string[]): Asking[] => targets.map((target) => ({ target }))
const playing = open(playlist, segment)

/** One viewer plays. Then a request comes that differs from the viewer's in one thing. */
const others: readonly Pair[] = (
  [
    ['the same', {}],
    ['another address', { host: 2 }],
    ['another User-Agent', { userAgent: 'other' }],
    ['no User-Agent', { userAgent: '' }],
    ['the User-Agent in capitals', { userAgent: 'PLAYER' }],
    ['a longer User-Agent', { userAgent: 'player ' + 'player' }],
    ['the playback id in the User-Agent', { userAgent: 'player p' }],
    ['a line break in the User-Agent', { userAgent: 'player%0a' }],
    ['a playback id', { playbackId: 'p' }],
    ['another Host', { site: 'Host: other.example.com' }],
    ['the Host in capitals', { site: 'Host: LIVE.EXAMPLE.COM' }],
    ['another port', { site: 'Host: live.example.com:8080' }],
    ['the default port', { site: 'Host: live.example.com:80' }],
    ['https', { tls: true }],
  ] satisfies readonly (readonly [string, Partial<Asking>])[]
).flatMap(([what, more]): Pair[] => [
  [`${what}: the playlist`, playing, { target: playlist, ...more }],
  [`${what}: the segment`, playing, { target: segment, ...more }],
])

const withId = [playlist, segment].map((target) => ({ target, playbackId: 'p' }))
const onPort = [playlist, segment].map((target) => ({ target, site: 'Host: live.example.com:8080' }))
const shifted = [playlist, segment].map((target) => ({ target, userAgent: 'a', playbackId: 'bc' }))

const known: readonly Pair[] = [
  ['a playback id, then none', withId, { target: segment }],
  ['a playback id, then another', withId, { target: segment, playbackId: 'q' }],
  ['a port, then another', onPort, { target: segment, site: 'Host: live.example.com:8081' }],
  ['a port, then none', onPort, { target: segment }],
  [
    'a letter moved from the id to the User-Agent',
    shifted,
    { target: segment, userAgent: 'ab', playbackId: 'c' },
  ],
  [
    'another host in the request line',
    open(playlist, segment),
    { target: `http://other.example.com${segment}` },
  ],
  ['the same host in the request line', playing, { target: `http://live.example.com${segment}` }],
  ['http:// in the request line over https', playing, { target: `https://live.example.com${segment}` }],
  [
    'a request line without a path',
    open('/index.m3u8?token=X'),
    { target: 'http://live.example.com?token=X' },
  ],
]

const targets: readonly (readonly [what: string, first: readonly Asking[], then: string])[] = [
  ['the next segment', playing, '/live/one/2.ts'],
  ['a segment of the next directory', playing, '/live/two/1.ts'],
  ['a segment one directory up', playing, '/live/1.ts'],
  ['a segment one directory down', playing, '/live/one/720p/1.ts'],
  ['a segment at the root', playing, '/1.ts'],
  ['a child playlist', playing, '/live/one/720p/index.m3u8'],
  ['the playlist beside it, without a token', playing, '/live/one/other.m3u8'],
  ['the playlist beside it, with the token', playing, '/live/one/other.m3u8?token=X'],
  ['the playlist in capitals', playing, '/live/one/INDEX.M3U8?token=X'],
  ['the playlist without its token', playing, '/live/one/index.m3u8'],
  ['the playlist with another token', playing, '/live/one/index.m3u8?token=Y'],
  ['the playlist with the token twice', playing, '/live/one/index.m3u8?token=X&token=X'],
  ['the playlist with two tokens', playing, '/live/one/index.m3u8?token=X&token=Y'],
  ['the playlist with the token encoded', playing, '/live/one/index.m3u8?token=%58'],
  ['the playlist with an empty token', playing, '/live/one/index.m3u8?token='],
  ['the segment with the token', playing, `${segment}?token=X`],
  ['the segment with another token', playing, `${segment}?token=Y`],
  ['the next segment with another token', open(playlist, `${segment}?token=X`), '/live/one/2.ts?token=Y'],
  ['the next segment with the token', open(playlist, `${segment}?token=X`), '/live/one/2.ts?token=X'],
  ['the segment with an empty query', playing, `${segment}?`],
  ['the segment with a query', playing, `${segment}?a=1`],
  ['a parameter that players vary', playing, '/live/one/index.m3u8?token=X&_HLS_msn=1'],
  [
    'the parameters in another order',
    open('/live/one/index.m3u8?a=1&token=X'),
    '/live/one/index.m3u8?token=X&a=1',
  ],
  ['film beside film', open('/vod/a.mp4?token=X'), '/vod/b.mp4?token=X'],
  ['film beside film, without tokens', open('/vod/a.mp4'), '/vod/b.mp4'],
  ['the film without its token', open('/vod/a.mp4?token=X'), '/vod/a.mp4'],
  ['a film beside a playing channel', playing, '/live/one/film.mp4'],
  ['a film with the token beside a playing channel', playing, '/live/one/film.mp4?token=Y'],
  ['a playlist beside a film', open('/vod/a.mp4?token=X'), '/vod/index.m3u8?token=X'],
  ['a segment beside a film', open('/vod/a.mp4?token=X'), '/vod/1.ts'],
  ['a film in the directory above', open('/vod/a/b.mp4?token=X'), '/vod/a.mp4?token=X'],
  ['a file beside a film that has its name twice', open('/vod/a.mp4'), '/vod/a.mp4/a.mp4'],
  ['the root beside a playlist at the root', open('/index.m3u8?token=X', '/1.ts'), '/'],
  ['a directory below a playlist at the root', open('/index.m3u8?token=X', '/1.ts'), '/live/1.ts'],
  ['the channel beside it in a flat directory', open('/live/a.m3u8?token=X', '/live/a-1.ts'), '/live/b-1.ts'],
  ['its playlist', open('/live/a.m3u8?token=X', '/live/a-1.ts'), '/live/b.m3u8'],
  ['its playlist with the token', open('/live/a.m3u8?token=X', '/live/a-1.ts'), '/live/b.m3u8?token=X'],
  [
    'its segment with the token',
    open('/live/a.m3u8?token=X', '/live/a-1.ts?token=X'),
    '/live/b-1.ts?token=X',
  ],
  ['a stream of its own', open('/live/a?token=X'), '/live/b?token=X'],
  ['a directory that begins alike', playing, '/live/one2/1.ts'],
  ['capitals beside capitals', open('/live/one/A.M3U8?token=X'), '/live/one/B.M3U8?token=X'],
  ['a segment beside capitals', open('/live/one/A.M3u8?token=X'), '/live/one/1.ts?token=X'],
  ['a Manifest', open('/ss/Manifest?token=X', '/ss/Q(1)/F(1)'), '/ss/manifest?token=X'],
  ['a file whose name ends in manifest', open('/ss/Manifest?token=X', '/ss/1'), '/ss/xmanifest?token=Y'],
  ['a dot and a dot encoded', playing, '/live/one/%2e%2e/two/1.ts'],
  ['dots', playing, '/live/one/../two/1.ts'],
  ['a slash encoded', playing, '/live/one%2F1.ts'],
  ['a slash encoded, into the next directory', playing, '/live/one/..%2Ftwo%2F1.ts'],
  ['a slash encoded twice', playing, '/live/one%252F1.ts'],
  ['two slashes', playing, '/live//one//1.ts'],
  ['a letter encoded', playing, '/live/%6fne/1.ts'],
  ['# and a token', open(playlist, segment), `${segment}#?token=X`],
  ['# behind the token', playing, '/live/one/index.m3u8?token=X#y'],
  ['# before the token', playing, '/live/one/index.m3u8#?token=X'],
  ['# encoded in the name', playing, '/live/one/index%23.m3u8?token=X'],
  ['? in the query', playing, '/live/one/index.m3u8?token=X?y'],
  ['? encoded in the name', playing, '/live/one/%3ftoken=X/1.ts'],
  ['the directory in the query', playing, '/live/two/1.ts?/live/one/'],
  ['a playlist behind the path', playing, '/live/two/1.ts/x.m3u8?token=X'],
  ['a playlist in the query', playing, '/live/one/1.ts?.m3u8'],
  ['a line break in the name', playing, '/live/one/%0a1.ts'],
  ['a line break behind the playlist', playing, '/live/one/index.m3u8%0a?token=X'],
  ['a line break and a token', playing, '/live/one/%0atoken=X%0a1.ts'],
  ['a bar behind the name', playing, '/live/one/1.ts%7c'],
  ['a space behind the playlist', playing, '/live/one/index.m3u8%20?token=X'],
  ['a semicolon', playing, '/live/one;/1.ts'],
  ['letters beyond ASCII', open('/live/\xe9/i.m3u8?token=X', '/live/\xe9/1.ts'), '/live/%C3%A9/1.ts'],
  ['letters beyond ASCII, encoded', open('/live/\xe9/i.m3u8?token=X', '/live/\xe9/1.ts'), '/live/%e9/2.ts'],
  ['a query beyond ASCII', open('/live/one/i.m3u8?token=\xe9'), '/live/one/i.m3u8?token=%C3%A9'],
]

export const pairs: readonly Pair[] = [
  ...others,
  ...known,
  ...targets.map(([what, first, then]): Pair => [what, first, { target: then }]),
]

/** Similar targets: each one is asked for after each other one. */
export const neighbours: readonly string[] = [
  '/live/index.m3u8?token=X',
  '/live/one/index.m3u8',
  '/live/one/1.ts',
  '/live/one/1.ts?token=X',
  '/live/one/2.ts',
  '/live/one/2.ts?token=Y',
  '/live/a.m3u8?token=X',
  '/live/a-1.ts',
  '/live/b-1.ts',
  '/1.ts',
]
