import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isPlaylist } from '../../src/session/scope.ts'
import { createMap, createVerdictKey, keyVariables, mapLines, readShipped } from '../support/verdict-key.ts'
import { wordsOf } from '../support/words.ts'

/** The directives of a file, in order, without comments. */
const directivesOf = (file: string): string[] =>
  readShipped(file)
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '')

const isCache = (directive: string): boolean =>
  /^(?:proxy_cache(?:_\w+)?|proxy_buffering|proxy_ignore_headers|open_file_cache(?:_\w+)?) /.test(directive)

/** What the gate gets, and the variables of the key that stand for it. */
const toldAs: Readonly<Record<string, string | string[]>> = {
  $remote_addr: '$remote_addr',
  // Its parts, in http.conf.
  $alta_auth_origin: ['$scheme', '$host', '$alta_auth_host_written'],
  $alta_auth_site: '$alta_auth_site',
  // The part of the path on which a verdict may depend. The gate says which verdicts do not depend on the
  // rest.
  '"$alta_auth_path|"': '$alta_auth_place',
  // Its path is the client's spelling, which the gate does not read.
  $request_uri: '$alta_auth_query',
  $alta_auth_head: '$alta_auth_head',
  $http_user_agent: '$http_user_agent',
  $http_x_playback_session_id: '$http_x_playback_session_id',
  $alta_auth_tell: '$alta_auth_tell',
  $alta_auth_cookie_mode: '$alta_auth_cookie_mode',
  // The name of the cache itself.
  $alta_auth_verdict_zone: [],
  // Only for the log: test/log/decision-log.test.ts shows that no verdict depends on it.
  $request_id: [],
}

const playlists = `/a.m3u8 /a.M3U8 /a.m3u /a.mpd /a.MPD /a.f4m /manifest /a/Manifest /a/MANIFEST /.m3u8 /a.b.m3u8 /a.m3u8.m3u8
  /%2F.m3u8 /a;.m3u8 /live/manifest`
const others = `/ /a /a.ts /a.m3u8/ /a.m3u80 /a.m3u9 /am3u8 /a.m3 /m3u8 /a.m3u8.ts /xmanifest /a.manifest /manifest/ /manifest.ts
  /a.mpd2 /a.mp4 /a.f4 /a.m3u8% /a.m3u8| /a.ſpd /a.m3u8; /manifest.m3u. /mpd /live/a.m3u8/1.ts`

describe('the files of the verdict cache:', () => {
  test('server.conf has a name for all that cache-http.conf fills in, and no value: without that file nothing is kept', () => {
    const known = directivesOf('server.conf').filter((line) => line.startsWith('auth_request_set'))
    const filled = [...readShipped('cache-http.conf').matchAll(/^map \S+ (\$\w+)/gm)].map(([, name]) => name)
    assert.equal(filled.length, 3)
    // The operator may fill it in.
    filled.push('$alta_auth_site', '$alta_auth_cookie_mode')
    assert.deepEqual(known.toSorted(), filled.map((name) => `auth_request_set ${name} "";`).toSorted())
  })

  test('the key holds every variable that the gate is told', () => {
    const told = directivesOf('server.conf').flatMap(
      (directive) => /^proxy_set_header X-\S+ (\$\w+|"\$\w+\|");$/.exec(directive)?.[1] ?? [],
    )
    assert.equal(told.length, 12)
    assert.deepEqual(
      keyVariables().toSorted(),
      told.flatMap((variable) => toldAs[variable] ?? `what of ${variable}?`).toSorted(),
    )
    const setHeaders = directivesOf('server.conf').filter((line) => line.startsWith('proxy_set_header'))
    const fixed = setHeaders.filter((line) => !line.includes('$'))
    assert.equal(setHeaders.length, told.length + fixed.length)
  })

  test('control bytes are refused before the cache is looked at: the key is delimited by line breaks', () => {
    const [inside = '', presence = '', ...rest] = directivesOf('server.conf').slice(1)
    assert.deepEqual([inside, presence], ['internal;', 'set $alta_auth_server_conf "";'])
    assert.match(rest[0] ?? '', /^set \$alta_auth_sent "(?:\$\w+)+";$/)
    assert.equal(rest[1], 'if ($alta_auth_sent ~ "[\\x00-\\x1f\\x7f]") {')
    for (const variable of [
      ...['$alta_auth_path', '$http_user_agent', '$http_x_playback_session_id', '$host'],
      ...['$alta_auth_site', '$alta_auth_cookie_mode'],
    ])
      assert.ok(rest[0]?.includes(variable), variable)
    assert.ok(rest.indexOf('return 403;') < rest.findIndex(isCache))
  })

  test('a verdict that is past its time is repeated for nothing but a failure', () => {
    const stale = directivesOf('server.conf').filter((line) => line.startsWith('proxy_cache_use_stale'))
    assert.deepEqual(stale, ['proxy_cache_use_stale error timeout invalid_header;'])
  })

  test('the maps know a playlist as the gate does', () => {
    const placeOf = createMap('alta_auth_place')
    const words = [playlists, others].map(wordsOf)
    for (const [at, paths] of words.entries()) {
      for (const path of paths) {
        assert.equal(isPlaylist(path), at === 0, path)
        const directory = path.slice(0, path.lastIndexOf('/') + 1)
        assert.equal(placeOf(path, path), at === 0 ? path : directory, path)
      }
    }
    assert.deepEqual(
      mapLines('alta_auth_place').map(({ value }) => value),
      ['$alta_auth_path', '$alta_auth_directory', '$alta_auth_path'],
    )
  })

  test('every part of the key tells two requests apart', () => {
    const keyOf = createVerdictKey()
    const one = {
      address: '1',
      origin: 'http://o',
      path: '/a/1.ts',
      query: 'q',
      userAgent: 'u',
      playbackId: 'p',
    }
    const keys = [
      one,
      ...Object.keys(one).map((part) => ({ ...one, [part]: part === 'path' ? '/b/1.ts' : 'other' })),
    ].map(keyOf)
    assert.equal(new Set(keys).size, 7)
    assert.equal(keyOf({ ...one, path: '/a/2.ts' }), keyOf(one))
  })
})
