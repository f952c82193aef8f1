import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Asked } from '../../support/backend.ts'
import { playWithFfmpeg } from '../../support/ffmpeg-player.ts'
import { readWindow, startLiveStream } from '../../support/live-stream.ts'
import { DURATION, makeMedia, SEGMENT } from '../../support/media.ts'
import { forSuite, suiteScope } from '../../support/scope.ts'
import { newViewer, startSite } from '../../support/site.ts'
import { hasToken } from '../../support/token-backend.ts'
import { deliveredFiles, type LoggedRequest, readViewerLog } from '../../support/viewer-log.ts'

const isSegment = (path: string): boolean => /\.(?:ts|m4s)\b/.test(path)
const isRefused = ({ status }: LoggedRequest): boolean => status === 403

describe('ffmpeg as a player, with a token on the first request only', () => {
  const scope = suiteScope()
  const site = forSuite(async (scope) => {
    const media = makeMedia()
    scope.after(() => rmSync(media, { recursive: true }))
    const site = await startSite(scope, {
      nginx: {
        server: 'location / { LOCATION } location /film/ { LOCATION limit_rate 2m; } location /open/ { }',
      },
    })
    site.backend.answer = hasToken('123')
    cpSync(media, site.nginx.root, { recursive: true })
    return site
  })

  const play = (entry: string, viewer: string) => playWithFfmpeg(scope, `${site.nginx.url}${entry}`, viewer)
  const questionsOf = (viewer: string): Asked[] =>
    site.backend.asked.filter(({ headers }) => headers['X-Real-Ua'] === viewer)

  /** `path bytes` of the segments on disk, as `deliveredFiles` writes them. */
  const segmentsBelow = (folder: string): string[] =>
    readdirSync(join(site.nginx.root, folder), { recursive: true, encoding: 'utf8' })
      .filter(isSegment)
      .map((name) => `${folder}/${name} ${statSync(join(site.nginx.root, folder, name)).size}`)
      .sort()

  const streams: [string, string, number][] = [
    ['HLS with one playlist', '/single/index.m3u8', 1],
    ['HLS with variants in subdirectories', '/tree/master.m3u8', 2],
    ['HLS with everything in one directory', '/flat/master.m3u8', 2],
    // Two pictures and two sounds.
    ['DASH', '/dash/stream.mpd', 4],
  ]
  for (const [what, entry, tracks] of streams) {
    const folder = entry.slice(0, entry.lastIndexOf('/'))

    test(`${what} plays to its end, and the backend is asked once`, async () => {
      const viewer = newViewer()
      const { exitCode, complaints } = await play(`${entry}?token=123`, viewer)
      assert.deepEqual({ exitCode, complaints }, { exitCode: 0, complaints: '' })

      const log = await readViewerLog(site.nginx, viewer)
      const segments = segmentsBelow(folder)
      assert.ok(segments.length >= (tracks * DURATION) / SEGMENT)
      assert.deepEqual(deliveredFiles(log).filter(isSegment), segments)
      assert.deepEqual(log.filter(isRefused), [])
      assert.deepEqual(
        questionsOf(viewer).map(({ target }) => target),
        ['/auth?token=123'],
      )
    })
  }

  test('a live stream plays while its window slides, and the backend is asked once', async (t) => {
    const viewer = newViewer()
    const folder = join(site.nginx.root, 'live')
    await startLiveStream(t, folder, { seconds: 12, window: 4 })
    const { exitCode, complaints, took } = await play('/live/index.m3u8?token=123', viewer)
    assert.deepEqual({ exitCode, complaints }, { exitCode: 0, complaints: '' })
    assert.ok(took >= 8, `played for ${took} s`)

    const { first, segments, closed } = readWindow(join(folder, 'index.m3u8'))
    assert.ok(closed && first >= 4 && !existsSync(join(folder, '0.ts')), 'the window slid to its end')

    const log = await readViewerLog(site.nginx, viewer)
    const played = deliveredFiles(log)
      .filter(isSegment)
      .map((file) => Number(/(\d+)\.ts /.exec(file)?.[1]))
      .sort((a, b) => a - b)
    const last = first + segments.length - 1
    assert.ok(played.length >= 8, `played ${played.join(' ')}`)
    assert.deepEqual(
      played,
      played.map((_, at) => last - played.length + 1 + at),
      'every segment up to the last one',
    )
    assert.ok(
      log.filter(({ path }) => path.endsWith('.m3u8')).length >= 8,
      'the playlist was read again and again',
    )
    assert.deepEqual(log.filter(isRefused), [])
    assert.equal(questionsOf(viewer).length, 1)
  })

  test('a long MPEG-TS response is asked about once, and opens no neighbour', async () => {
    const viewer = newViewer()
    const film = join(site.nginx.root, 'film')
    mkdirSync(film)
    const parts = Array.from({ length: DURATION / SEGMENT }, (_, at) => `${site.nginx.root}/single/${at}.ts`)
    const looped = ['-stream_loop', '9', '-i', `concat:${parts.join('|')}`, '-c', 'copy']
    execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', ...looped, join(film, 'one.ts')])
    cpSync(join(film, 'one.ts'), join(film, 'two.ts'))

    const { exitCode, complaints, took } = await play('/film/one.ts?token=123', viewer)
    assert.deepEqual({ exitCode, complaints }, { exitCode: 0, complaints: '' })
    assert.ok(took >= 2, `played for ${took} s`)
    assert.ok(
      deliveredFiles(await readViewerLog(site.nginx, viewer)).includes(segmentsBelow('/film')[0] ?? ''),
    )
    assert.equal(questionsOf(viewer).length, 1)

    const neighbour = await play('/film/two.ts', viewer)
    assert.notEqual(neighbour.exitCode, 0)
    assert.match(neighbour.complaints, /403 Forbidden/)
    const log = await readViewerLog(site.nginx, viewer)
    assert.deepEqual(
      log.filter(({ path }) => path === '/film/two.ts').filter((line) => !isRefused(line)),
      [],
    )
    assert.deepEqual(
      questionsOf(viewer).map(({ target }) => target),
      ['/auth?token=123', '/auth'],
    )
  })
})
