import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { channelFiles } from '../support/channel-files.ts'
import { request } from '../support/client.ts'
import { clientRequest, createPretendGate, settled, tokens } from '../support/pretend-gate.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

const channels = Array.from({ length: 50 }, (_, n) => `ch${n}`)
const playlistOf = (channel: string): string => `/live/${channel}/index.m3u8?token=good`

/** What a viewer gets after a change of channel: the playlist with the token, two segments without it. */
async function zap(viewer: Viewer, channel: string): Promise<number[]> {
  return [
    await viewer.get(playlistOf(channel)),
    await viewer.get(`/live/${channel}/0.ts`),
    await viewer.get(`/live/${channel}/1.ts`),
  ]
}

/** 65 changes of channel: up through all channels, and each fifth time back to the one before. */
function upAndBack(): string[] {
  return channels.flatMap((channel, n) =>
    n % 5 === 4 ? [channel, channels[n - 1] ?? '', ...(n % 10 === 9 ? [channel] : [])] : [channel],
  )
}

describe('zapping through nginx', () => {
  const scope = suiteScope()
  const site = forSuite((scope) => startSite(scope, { nginx: { files: channelFiles(channels, 2) } }))
  beforeEach(() => {
    site.backend.answer = hasToken('good')
  })

  test('65 zaps over 50 channels, back and forth: all play, one question and one session a channel', async () => {
    const viewer = createViewer(scope, site.nginx)
    const zaps = upAndBack()
    assert.equal(zaps.length, 65)
    const asked = await questionsDuring(site.backend, async () => {
      for (const channel of zaps) assert.deepEqual(await zap(viewer, channel), [200, 200, 200], channel)
    })
    assert.deepEqual(
      asked.map(({ headers }) => headers['X-Real-Path']),
      channels.map((channel) => `/live/${channel}/index.m3u8`),
    )
    const sessionOf = new Map<string, string>()
    for (const { path, session } of await readViewerLog(site.nginx, viewer.userAgent)) {
      const channel = path.split('/')[2] ?? ''
      assert.equal(sessionOf.get(channel) ?? session, session, `one session for ${channel}`)
      sessionOf.set(channel, session)
    }
    assert.equal(new Set(sessionOf.values()).size, channels.length)
  })

  test('X-Playback-Session-Id tells apart two players behind one address with one User-Agent', async () => {
    const userAgent = newViewer()
    const statuses = async (file: string, ...ids: readonly string[]): Promise<number[]> => {
      const got: number[] = []
      for (const id of ids) {
        const headers = [`User-Agent: ${userAgent}`, ...(id === '' ? [] : [`X-Playback-Session-Id: ${id}`])]
        got.push((await request({ port: site.nginx.port, target: `/live/ch1/${file}`, headers })).status)
      }
      return got
    }
    assert.deepEqual(await statuses('index.m3u8?token=good', 'ours'), [200])
    assert.deepEqual(await statuses('0.ts', 'ours', 'theirs', '', 'ours'), [200, 403, 403, 200])
    assert.deepEqual(await statuses('index.m3u8?token=good', 'theirs'), [200])
    assert.deepEqual(await statuses('0.ts', 'ours', 'theirs', ''), [200, 200, 403])
    const log = await readViewerLog(site.nginx, userAgent)
    assert.equal(new Set(log.flatMap(({ status, session }) => (status === 200 ? [session] : []))).size, 2)
  })
})

test('50 channels in 60 s, all the way up and back down: one question a channel, and no wait on the way down', async () => {
  const gate = createPretendGate()
  gate.answers(tokens('good'))
  const zaps = [...channels, ...channels.toReversed()]
  for (const [n, channel] of zaps.entries()) {
    const playlist = clientRequest(playlistOf(channel))
    const { verdict } = n < channels.length ? await gate.decide(playlist) : gate.decideAtOnce(playlist)
    assert.equal(verdict, 'allow', channel)
    assert.equal(gate.decideAtOnce(clientRequest(`/live/${channel}/0.ts`)).verdict, 'allow', channel)
    await settled()
    gate.pass(60_000 / zaps.length)
  }
  assert.equal(gate.now(), 60_000)
  assert.deepEqual(
    gate.asked.map(({ subrequest }) => subrequest.path),
    channels.map((channel) => `/live/${channel}/index.m3u8`),
  )
  assert.equal(gate.sessions.count(), channels.length)
})
