import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBroadcast } from '../../demo/broadcast.ts'
import { loop } from '../../demo/fill-document-root.ts'
import { goOnAir, readSegments } from '../../demo/live-playlist.ts'
import { readWindow } from '../support/live-stream.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const segments = readSegments(readFileSync(join(loop, 'index.m3u8'), 'utf8'))
const noon = Date.UTC(2026, 0, 1, 12)

/**
 * Media sequence number → discontinuity sequence number, as RFC 8216 (6.2.1, 4.3.3.3) makes a player count
 * them.
 */
function discontinuitiesOf(playlist: string): Map<number, number> {
  let sequence = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(playlist)?.[1])
  let discontinuity = Number(/^#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)$/m.exec(playlist)?.[1])
  const found = new Map<number, number>()
  for (const line of playlist.split('\n')) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuity++
    if (line !== '' && !line.startsWith('#')) found.set(sequence++, discontinuity)
  }
  return found
}

describe('the loop that is committed', () => {
  test('is six segments of two seconds, and small', () => {
    assert.deepEqual(
      segments.map(({ duration }) => duration),
      [2, 2, 2, 2, 2, 2],
    )
    const sizes = segments.map(({ file }) => statSync(join(loop, file)).size)
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 600_000)
    assert.equal(readdirSync(loop).length, 7)
  })

  test('has a picture and sound that every player knows', () => {
    for (const { file } of segments) {
      const entries = 'stream=codec_name,profile,width,height,nb_read_packets'
      const shown = execFileSync(
        'ffprobe',
        ['-v', 'error', '-count_packets', '-show_entries', entries, '-of', 'json', join(loop, file)],
        { encoding: 'utf8' },
      )
      const streams = (JSON.parse(shown) as { streams: Record<string, unknown>[] }).streams
      const named = (name: string): Record<string, unknown> =>
        streams.find((one) => one['codec_name'] === name) ?? {}
      assert.match(String(named('h264')['profile']), /Baseline/)
      assert.deepEqual([named('h264')['width'], named('h264')['height']], [640, 360])
      assert.equal(named('h264')['nb_read_packets'], '50')
      assert.equal(named('aac')['profile'], 'LC')
    }
  })
})

describe('the loop on air', () => {
  test('slides by one segment every two seconds, at the pace of the clock', () => {
    const first = goOnAir(segments, noon, noon).segments.map(([sequence]) => sequence)
    assert.deepEqual(first.length, 6)
    for (let step = 0; step < 30; step++) {
      const { segments: shown, playlist } = goOnAir(segments, noon + step * 2000 + 1999, noon)
      assert.deepEqual(
        shown.map(([sequence]) => sequence),
        first.map((sequence) => sequence + step),
      )
      assert.match(playlist, new RegExp(`^#EXT-X-MEDIA-SEQUENCE:${(first[0] ?? 0) + step}$`, 'm'))
    }
  })

  test('only segments that are over are in it', () => {
    const now = noon + 700
    const [newest] = goOnAir(segments, now, noon).segments.at(-1) ?? []
    assert.ok(((newest ?? 0) + 1) * 2000 <= now)
    assert.ok(((newest ?? 0) + 2) * 2000 > now)
  })

  test('each segment keeps its discontinuity number, and the loop starts with a new one', () => {
    const known = new Map<number, number>()
    for (let step = 0; step < 40; step++) {
      for (const [sequence, number] of discontinuitiesOf(
        goOnAir(segments, noon + step * 2000, noon).playlist,
      )) {
        assert.equal(known.get(sequence) ?? number, number, `segment ${sequence}`)
        known.set(sequence, number)
      }
    }
    for (const [sequence, number] of known) {
      // hls.js walks an array as long as the number is large.
      assert.ok(number >= 0 && number < 10, String(number))
      const before = known.get(sequence - 1)
      if (before !== undefined)
        assert.equal(number - before, sequence % 6 === 0 ? 1 : 0, `segment ${sequence}`)
    }
  })
})

test('the broadcast writes what its playlist names, and forgets what is long gone', async (t) => {
  const channel = join(makeTemporaryFolder(t), 'live', 'test')
  t.after(startBroadcast({ loop, channel, onError: (error) => assert.fail(String(error)) }))
  const playlist = join(channel, 'index.m3u8')
  const first = readWindow(playlist)
  const old = join(channel, `${first.first - 100}.ts`)
  writeFileSync(old, '')

  await until('the window to slide', () => readWindow(playlist).first > first.first)
  const { segments: named, closed } = readWindow(playlist)
  assert.equal(closed, false)
  assert.equal(named.length, 6)
  for (const name of named) {
    const file = segments[Number.parseInt(name, 10) % 6]?.file ?? ''
    assert.deepEqual(readFileSync(join(channel, name)), readFileSync(join(loop, file)))
  }
  await until('the old segment to be gone', () => !existsSync(old))
  assert.ok(
    existsSync(join(channel, first.segments[0] ?? '')),
    'a player that is behind still finds its segment',
  )
})
