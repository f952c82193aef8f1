import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Target } from '../../src/session/identity.ts'
import { covers, createScopeOf, isPlaylist, sameTarget } from '../../src/session/scope.ts'
import { wordsOf } from '../support/words.ts'

const path = (text: string): Target => ({ channel: undefined, path: text, pathCredential: undefined })
const channel = (name: string, text = `/live/${name}.m3u8`): Target => ({
  channel: name,
  path: text,
  pathCredential: undefined,
})

describe('playlists', () => {
  const playlists = wordsOf(`
    /live/ch1/index.m3u8 /live/ch1/index.m3u /live/ch1/stream.mpd /vod/film.f4m /vod/film.ism/Manifest
    /vod/film.ism/manifest /vod/film.ism/MANIFEST /Manifest /INDEX.M3U8 /a/Index.M3u /a/STREAM.MPD /a/FILM.F4M
    /.m3u8 /a/x.ts.m3u8 /a/manifest.mpd
  `)
  const others = wordsOf(`
    / /live/ch1/ /live/ch1/seg1.ts /vod/film1.mp4 /a/init.m4s /x.m3u8.ts /x.m3u8/ /x.m3u8/seg.ts /m3u8 /m3u /mpd
    /f4m /a/xm3u8 /a/x-m3u8 /x.m3u80 /x.m3u9 /x.m3u88 /x.m3 /x.xmpd /x.mpd~ /x.f4 /a/xmanifest /a/manifest.ts
    /a/manifests /a/manifest/ /a/manifest/x.ts /x.m3u8%20 /x.m3u8%0A /x.m3u8%00 /x.m3u8;a
  `)
  for (const one of playlists) test(`${one} is a playlist`, () => assert.equal(isPlaylist(one), true))
  for (const one of others) test(`${one} is no playlist`, () => assert.equal(isPlaylist(one), false))
})

/** Whether a session that was opened at `opener` opens `asked`. */
function opensAt(opener: Target, asked: Target, channelPattern?: RegExp): boolean {
  return covers(createScopeOf({ channelPattern, credentialPattern: undefined })(opener), asked)
}

/** An opener, what it opens, and what it does not. */
const openers = {
  '/live/ch1/index.m3u8': [
    '/live/ch1/index.m3u8 /live/ch1/seg1.ts /live/ch1/other.m3u8 /live/ch1/ /live/ch1/720p/seg1.ts /live/ch1/a/b/c/index.m3u8',
    '/live/ch1 /live/index.m3u8 /live/ /seg1.ts / /live/ch2/seg1.ts /live/ch10/seg1.ts /live/ch1.ts /live/ch1-backup/seg1.ts /live/CH1/seg1.ts /vod/live/ch1/seg1.ts',
  ],
  '/live/ch1/STREAM.MPD': ['/live/ch1/init.m4s', ''],
  '/vod/film.ism/Manifest': [
    '/vod/film.ism/QualityLevels(100)/Fragments(video=0)',
    '/vod/film.ismx /vod/film2.ism/Fragments',
  ],
  '/vod/film.f4m': ['/vod/filmSeg1-Frag1', ''],
  '/live/index.m3u8': ['/live/ch1/seg1.ts', ''],
  '/live/ch10/index.m3u8': ['', '/live/ch1/seg1.ts'],
  '/index.m3u8': ['/index.m3u8 /seg1.ts /other.m3u8 /', '/live/seg1.ts /live/ /live/ch1/index.m3u8'],
  '/Manifest': ['/QualityLevels(100)', '/a/Fragments'],
  '/vod/film1.mp4': ['/vod/film1.mp4', '/vod/film2.mp4 /vod/film1.mp4/ /vod/film1.mp /vod/FILM1.mp4 /vod/'],
  '/film1.mp4': ['', '/film2.mp4'],
  '/live/ch1': ['', '/live/ch1/seg1.ts'],
  '/live/ch1/': ['/live/ch1/', '/live/ch1/seg1.ts'],
  '/': ['', '/seg1.ts'],
  '/a/x.m3u8.ts': ['', '/a/y.ts'],
  '/a/xmanifest': ['', '/a/y.ts'],
} as const

describe('a playlist opens its directory and what is below it, at the root only its files; all else opens itself:', () => {
  for (const [opener, tables] of Object.entries(openers))
    for (const [at, table] of tables.entries())
      for (const asked of table === '' ? [] : wordsOf(table))
        test(`${opener} ${at === 0 ? 'opens' : 'does not open'} ${asked}`, () => {
          assert.equal(opensAt(path(opener), path(asked)), at === 0)
        })
})

describe('a channel is the scope, exactly', () => {
  const rows: readonly [title: string, opener: Target, asked: Target, opens: boolean][] = [
    ['the same channel, another path', channel('ch1'), channel('ch1', '/vod/ch1/x.ts'), true],
    ['the same channel from a segment', channel('ch1', '/live/ch1-1.ts'), channel('ch1'), true],
    ['another channel in the same directory', channel('ch1'), channel('ch2'), false],
    ['a channel that starts alike', channel('ch1'), channel('ch10'), false],
    ['a channel that is the start', channel('ch10'), channel('ch1'), false],
    ['a channel in another case', channel('ch1'), channel('CH1'), false],
    ['a path without a channel beside it', channel('ch1'), path('/live/seg1.ts'), false],
    ['the very path, found without a channel', channel('ch1'), path('/live/ch1.m3u8'), false],
    ['a path that reads like the channel', channel('/live/ch1'), path('/live/ch1'), false],
    ['a channel below a playlist without one', path('/live/index.m3u8'), channel('ch1'), false],
    ['two channels without a name', channel(''), channel(''), true],
  ]
  for (const [title, opener, asked, opens] of rows) {
    test(`${title}: ${opens ? 'opened' : 'not opened'}`, () => {
      assert.equal(opensAt(opener, asked), opens)
      assert.equal(sameTarget(opener, asked), opens)
      assert.equal(sameTarget(asked, opener), opens)
    })
  }
})

describe('among the channels of CHANNEL_PATTERN a playlist without one opens only itself', () => {
  const rows: readonly (readonly [pattern: string, opener: string, asked: string, opens: boolean])[] = [
    ['^/live/([^/]+)/', '/live/news.m3u8', '/live/film.mp4', false],
    ['^/live/([^/]+)/', '/live/news.m3u8', '/live/news.m3u8', true],
    ['^/live/([^/]+)/', '/live//news.m3u8', '/live//film.mp4', false],
    ['^/live/([^/]+)/', '//live/news.m3u8', '//live/film.mp4', false],
    ['^/live/([^/]+)/', '/index.m3u8', '/1.ts', false],
    ['^/live/([^/]+)/', '/vod/film/index.m3u8', '/vod/film/1.ts', true],
    ['^/live/([^/]+)/', '/livestream/index.m3u8', '/livestream/1.ts', true],
    ['^/live/([^/]+)/', '/vod/live/index.m3u8', '/vod/live/1.ts', true],
    ['^/live/([^/.-]+)', '/live/.m3u8', '/live/-1.ts', false],
    ['^/live/(\\d+)/', '/live/news/index.m3u8', '/live/news/1.ts', false],
    ['^/live/(\\d+)/', '/live/a/b/index.m3u8', '/live/a/b/1.ts', false],
    ['^/live/tv/(\\d+)/', '/live/index.m3u8', '/live/tv/x.ts', false],
    ['^/live/tv/(\\d+)/', '/live/radio/index.m3u8', '/live/radio/1.ts', true],
    ['^/live/?(\\d+)/', '/live/a/index.m3u8', '/live/a/1.ts', false],
    ['/live/([^/]+)/', '/live/news.m3u8', '/live/film.mp4', true],
    ['^/(?:live|tv)/([^/]+)/', '/live/news.m3u8', '/live/film.mp4', true],
  ]
  for (const [pattern, opener, asked, opens] of rows) {
    test(`${pattern}: ${opener} ${opens ? 'opens' : 'does not open'} ${asked}`, () => {
      assert.equal(opensAt(path(opener), path(asked), new RegExp(pattern)), opens)
    })
  }
})
