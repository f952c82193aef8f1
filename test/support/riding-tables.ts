import { wordsOf } from './words.ts'

/**
 * The credentials of a request: none, the opener's, a bad one, the opener's twice, the opener's and a bad
 * one.
 */
export const credentials = ['', '?token=X', '?token=Z', '?token=X&token=X', '?token=X&token=Z']
/** What the backend says about each when it is asked. */
export const judged = wordsOf('no yes no yes no')

/**
 * By opener and path: `rides` on the opener's session; `own` = repeats the opener's verdict; `yes` and `no` =
 * the backend is asked and gives this answer.
 */
export type Grid = Readonly<Record<string, string>>

const ASKED = 'no    yes  no  yes  no'
export const withoutPattern: Readonly<Record<string, Grid>> = {
  'a playlist: /live/ch1/index.m3u8': {
    '/live/ch1/index.m3u8': 'rides own    no  yes  no',
    '/live/ch1/1.ts': '      rides rides  no  yes  no',
    '/live/ch1/other.m3u8': 'rides yes    no  yes  no',
    '/live/ch1/hd/1.ts': '   rides rides  no  yes  no',
    '/live/ch1/hd/v.m3u8': ' rides yes    no  yes  no',
    '/live/1.ts': ASKED,
    '/live/index.m3u8': ASKED,
    '/live/ch2/1.ts': ASKED,
    '/live/ch2/index.m3u8': ASKED,
    '/live/ch1': ASKED,
    '/1.ts': ASKED,
    '/index.m3u8': ASKED,
  },
  'a playlist at the root: /index.m3u8': {
    '/index.m3u8': 'rides own    no  yes  no',
    '/1.ts': '      rides rides  no  yes  no',
    '/other.m3u8': 'rides yes    no  yes  no',
    '/live/1.ts': ASKED,
    '/live/index.m3u8': ASKED,
    '/live/ch1/hd/1.ts': ASKED,
    '//1.ts': ASKED,
  },
  // Only when nginx does not merge slashes. The files are those of the root.
  'a playlist at the root, by another name: //index.m3u8': {
    '//index.m3u8': 'rides own   no  yes  no',
    '//1.ts': '      rides rides no  yes  no',
    '//live/1.ts': ASKED,
    '//live/ch1/index.m3u8': ASKED,
    '///live/1.ts': ASKED,
    '/1.ts': ASKED,
  },
  'a film: /vod/film1.mp4': {
    '/vod/film1.mp4': 'rides own no yes no',
    '/vod/film2.mp4': ASKED,
    '/vod/film1.mp4/1.ts': ASKED,
    '/vod/index.m3u8': ASKED,
    '/vod/': ASKED,
    '/film1.mp4': ASKED,
    '/1.ts': ASKED,
  },
}

export const CHANNELS = /^\/live\/([^/.-]+)/
export const withPattern: Readonly<Record<string, Grid>> = {
  'a playlist: /live/ch1.m3u8': {
    '/live/ch1.m3u8': '     rides own no yes no',
    '/live/ch1.mpd': '      rides own no yes no',
    '/live/ch1-1.ts': '     rides own no yes no',
    '/live/ch1/hd/1.ts': '  rides own no yes no',
    '/live/ch1/hd/v.m3u8': 'rides own no yes no',
    '/live/ch2.m3u8': ASKED,
    '/live/ch2-1.ts': ASKED,
    '/live/ch10-1.ts': ASKED,
    '/live/': ASKED,
    '/live/-1.ts': ASKED,
    '/ch1-1.ts': ASKED,
    '/1.ts': ASKED,
  },
  'a playlist further down: /live/ch1/hd/v.m3u8': {
    '/live/ch1/hd/1.ts': 'rides own no yes no',
    '/live/ch1.m3u8': '   rides own no yes no',
    '/live/ch2/hd/1.ts': ASKED,
    '/live/hd/1.ts': ASKED,
  },
  'a segment: /live/ch1-1.ts': {
    '/live/ch1-1.ts': 'rides own no yes no',
    '/live/ch1-2.ts': 'rides own no yes no',
    '/live/ch1.m3u8': 'rides own no yes no',
    '/live/ch2-1.ts': ASKED,
    '/live/ch2.m3u8': ASKED,
  },
  // It is where the channels are, so it may be invented. It opens only itself.
  'a playlist without a channel: /live/.m3u8': {
    '/live/.m3u8': 'rides own no yes no',
    '/live/-1.ts': ASKED,
    '/live/ch1.m3u8': ASKED,
    '/live/ch1-1.ts': ASKED,
  },
  'a playlist above the channels: /index.m3u8': {
    '/index.m3u8': 'rides own no yes no',
    '/1.ts': ASKED,
    '/live/ch1.m3u8': ASKED,
  },
  'a playlist elsewhere: /vod/film/index.m3u8': {
    '/vod/film/index.m3u8': 'rides own   no yes no',
    '/vod/film/1.ts': '      rides rides no yes no',
    '/vod/film/hd/1.ts': '   rides rides no yes no',
    '/vod/1.ts': ASKED,
    '/live/ch1.m3u8': ASKED,
    '/live/.m3u8': ASKED,
  },
  'a film without a channel: /vod/film1.mp4': {
    '/vod/film1.mp4': 'rides own no yes no',
    '/vod/film2.mp4': ASKED,
    '/live/ch1-1.ts': ASKED,
  },
}
