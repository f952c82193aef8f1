import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { proposePattern } from '../../src/check/channels/propose-pattern.ts'
import { readMedia } from '../../src/check/channels/read-media.ts'
import { readSettings } from '../../src/config/read-settings.ts'
import { startWarnings } from '../../src/config/start-warnings.ts'
import { checkSite, flawsOf, startCheckedSite, textOf } from '../support/checked-site.ts'
import type { Edit } from '../support/configured-nginx.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

function write(folder: string, files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), '')
  }
}

function mediaOf(scope: Scope, files: readonly string[]): string {
  const folder = makeTemporaryFolder(scope)
  write(folder, files)
  return folder
}

/** What lies in a document root, and the pattern for it; undefined = it shows no order. */
const layouts: readonly (readonly [what: string, files: readonly string[], pattern: string | undefined])[] = [
  ['directories', ['live/a/index.m3u8', 'live/b/index.m3u8', 'live/b/1.ts'], '^/live/([^/]+)/'],
  ['directories at the root', ['a/index.m3u8', 'b/manifest.mpd'], '^/([^/]+)/'],
  ['directories further down', ['tv/hls/live/a/i.m3u8', 'tv/hls/live/b/i.m3u8'], '^/tv/hls/live/([^/]+)/'],
  [
    'directories with variants beside and below the master',
    ['live/a/master.m3u8', 'live/a/720p.m3u8', 'live/a/hd/i.m3u8', 'live/b/master.m3u8', 'live/b/480p.m3u8'],
    '^/live/([^/]+)/',
  ],
  [
    'directories of qualities, without a master',
    ['live/a/hd/i.m3u8', 'live/a/sd/i.m3u8', 'live/b/hd/i.m3u8', 'live/b/sd/i.m3u8'],
    '^/live/([^/]+)/',
  ],
  ['one directory', ['live/a.m3u8', 'live/a-1.ts', 'live/b.m3u8', 'live/b-1.ts'], '^/live/([^/.-]+)'],
  [
    'one directory, HLS and DASH',
    ['live/a.m3u8', 'live/a.mpd', 'live/b.m3u8', 'live/b.mpd'],
    '^/live/([^/.-]+)',
  ],
  [
    'one directory, with the segments below it',
    ['live/a.m3u8', 'live/a/1.m3u8', 'live/b.m3u8', 'live/b/1.m3u8'],
    '^/live/([^/.-]+)',
  ],
  [
    'channels and films: where there is most',
    ['live/a/index.m3u8', 'live/b/index.m3u8', 'live/c/index.m3u8', 'vod/x/index.m3u8', 'vod/y/index.m3u8'],
    '^/live/([^/]+)/',
  ],
  [
    'one directory with variants beside their masters',
    ['live/a.m3u8', 'live/a_hi.m3u8', 'live/a_low-1.ts', 'live/b.m3u8', 'live/b_hi.m3u8'],
    '^/live/([^/._-]+)',
  ],
  ['one directory whose names hold an underscore', ['live/tv_1.m3u8', 'live/tv_2.m3u8'], '^/live/([^/.-]+)'],
  ['one directory whose names hold a dash', ['live/sport-1.m3u8', 'live/sport-2.m3u8'], undefined],
  ['one channel', ['live/a/index.m3u8', 'live/a/1.ts'], undefined],
  ['one film with its variants', ['vod/film/master.m3u8', 'vod/film/720p.m3u8'], undefined],
  ['names that would need an escape', ['li ve/a/index.m3u8', 'li ve/b/index.m3u8'], undefined],
  ['no playlist', ['live/a/1.ts', 'film.mp4'], undefined],
  ['nothing', [], undefined],
]

describe('a CHANNEL_PATTERN for channels in', () => {
  for (const [what, files, pattern] of layouts) {
    test(`${what}: ${pattern ?? 'none'}`, (t) => {
      const proposal = proposePattern(readMedia(mediaOf(t, files)), '/')
      assert.equal(proposal?.pattern, pattern)
      if (pattern === undefined) return
      const found = files.map((file) => new RegExp(pattern).exec(`/${file}`)?.[1]).filter(Boolean)
      assert.equal(new Set(found).size, proposal?.channels)
      const environment = { BACKEND_URL: 'http://127.0.0.1/', CHANNEL_PATTERN: pattern }
      const result = readSettings(environment)
      assert.ok(result.ok)
      const warnings = startWarnings(result.settings, environment, 1)
      assert.deepEqual(
        warnings.filter((warning) => warning.startsWith('CHANNEL_PATTERN')),
        [],
      )
    })
  }

  test('a folder that leads back to itself, and one that is not there: none', (t) => {
    const folder = mediaOf(t, ['live/a/index.m3u8'])
    symlinkSync(folder, join(folder, 'live', 'again'))
    assert.equal(proposePattern(readMedia(folder), '/'), undefined)
    assert.equal(proposePattern(readMedia(join(folder, 'nowhere')), '/'), undefined)
  })

  test('a folder of more files than are looked at: takes bounded time', (t) => {
    const files = Array.from({ length: 6_000 }, (_, n) => `live/a/${n}.m3u8`)
    const { folders } = readMedia(mediaOf(t, files))
    assert.equal(folders.get('live')?.folders.get('a')?.playlists.length, 5_000)
  })
})

describe('check, without CHANNEL_PATTERN,', () => {
  const check = async (scope: Scope, edits: readonly Edit[]) => {
    const { environment } = await startCheckedSite(scope, {
      settings: { CHANNEL_PATTERN: '' },
      nginx: { edits },
    })
    const findings = await checkSite(environment)
    assert.deepEqual(flawsOf(findings), ['warning channel-pattern'])
    return textOf(findings, 'channel-pattern')
  }
  const rootAt = (folder: string): Edit => ['site.conf', 'root /srv/media;', `root ${folder};`]

  test('proposes one that fits the document root of a protected location', async (t) => {
    const media = mediaOf(t, [
      'live/a/index.m3u8',
      'live/b/index.m3u8',
      'open/a.m3u8',
      'open/b.m3u8',
      'open/c.m3u8',
    ])
    assert.match(
      await check(t, [rootAt(media)]),
      /CHANNEL_PATTERN='\^\/live\/\(\[\^\/\]\+\)\/' finds 2 channels in \S+\/live\/, which location \/live\/ \(site\.conf:\d+\) serves;/,
    )
  })

  test('proposes one that fits an alias', async (t) => {
    const media = mediaOf(t, ['a.m3u8', 'b.m3u8'])
    const alias: Edit = [
      'site.conf',
      '    location /live/ {',
      `    location /live/ {\n        alias ${media}/;`,
    ]
    assert.match(await check(t, [alias]), /CHANNEL_PATTERN='\^\/live\/\(\[\^\/\.-\]\+\)' finds 2 channels/)
  })

  test('says how to write one where the files tell nothing', async (t) => {
    for (const folder of [mediaOf(t, []), '/nowhere', '/srv/$host'])
      assert.match(
        await check(t, [rootAt(folder)]),
        /write a pattern whose first group is the channel.*docs\/sessions\.md/,
      )
  })
})

test('check warns of a CHANNEL_PATTERN that does not tell where the channels lie', async (t) => {
  const { environment } = await startCheckedSite(t, { settings: { CHANNEL_PATTERN: '/live/([^/]+)/' } })
  const findings = await checkSite(environment)
  assert.deepEqual(flawsOf(findings), ['warning channel-pattern'])
  assert.match(textOf(findings, 'channel-pattern'), /does not begin with the directory/)
})
