import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { showExplanation } from '../../src/cli/show-explanation.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { startNginx } from '../support/nginx.ts'
import { startReceiver } from '../support/receiver.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { newViewer } from '../support/site.ts'
import { until } from '../support/until.ts'
import { wordsOf } from '../support/words.ts'
import { startXtreamBackend } from '../support/xtream-backend.ts'

const CREDENTIAL_PATTERN = '^/(?:live|movie|series)/([^/]+)/([^/]+)/'
const CHANNEL_PATTERN = '^/live/[^/]+/[^/]+/(\\d+)(?:[._/-]|$)'

async function startXtream(scope: Scope, verdictCache: boolean, channels: string) {
  const backend = await startXtreamBackend(scope)
  const receiver = await startReceiver(scope)
  const gate = await startGate(scope, {
    BACKEND_URL: `${backend.url}/auth`,
    CREDENTIAL_PATTERN,
    CHANNEL_PATTERN: channels,
    EVENTS_URL: `http://127.0.0.1:${receiver.port}/events`,
    ADMIN_LISTEN: '127.0.0.1:0',
    // Deny answers are not to be asked about again within this test.
    DENY_TTL: '1h',
    BACKEND_TIMEOUT: '2500ms',
  })
  const server = 'location / { LOCATION empty_gif; }'
  const nginx = await startNginx(scope, {
    gates: [gate.address],
    verdictCache,
    pathCredentials: true,
    server,
  })
  const play = async (userAgent: string, target: string): Promise<number> =>
    (await request({ port: nginx.port, target, headers: [`User-Agent: ${userAgent}`] })).status
  return { backend, receiver, gate, nginx, play }
}

const OPENER = '/live/zara/hunter2/5.m3u8'

/** They ride on the opener's session: the path that nginx serves has its credential and its number. */
const riding = [
  OPENER,
  ...wordsOf(`
    /live/zara/hunter2/5_1.ts /live/zara/hunter2/5.ts /live/zara/hunter2/5/1.ts
    /live//zara//hunter2/5_1.ts /live/./zara/hunter2/5_1.ts /live/zara/WRONG/../hunter2/5_1.ts
    /live/zara/hunter%32/5_1.ts /live/zara%2Fhunter2/5_1.ts /live/zara/hunter2/5%5F1.ts
  `),
]

for (const [verdictCache, channels] of [
  [false, ''],
  [true, CHANNEL_PATTERN],
] as const) {
  describe(`credentials in the path through nginx, verdict cache ${verdictCache ? 'on' : 'off'}, CHANNEL_PATTERN=${channels}:`, () => {
    const site = forSuite((scope) => startXtream(scope, verdictCache, channels))

    test('the segments of an allowed channel ride, however they are written', async () => {
      const viewer = newViewer()
      const before = site.backend.asked().length
      for (const turn of [1, 2])
        for (const target of riding) assert.equal(await site.play(viewer, target), 200, `${target} ${turn}`)
      assert.deepEqual(site.backend.asked().slice(before), [OPENER])
    })
  })
}

describe('a credential in the path is shown nowhere:', () => {
  const site = forSuite((scope) => startXtream(scope, true, ''))
  const secrets = /zara|hunter2|s3cret/i
  const shownPath = '/live/***/***/5.m3u8'
  const ask = async (path: string): Promise<string> =>
    (await get({ host: '127.0.0.1', port: site.gate.adminPort }, path, {})).body.toString()

  test('not in the log of the gate, the API, an explanation, an event, or nginx’s access log', async () => {
    const viewer = newViewer()
    const targets = [
      OPENER,
      '/live/zara/hunter2/5_1.ts',
      '/live/zara/s3cret/5.m3u8',
      '/live/zara/hunter2/%0a5.ts',
    ]
    for (const target of targets) await site.play(viewer, target)
    const sessions = await ask('/sessions')
    const denials = await ask('/denials')
    const url = encodeURIComponent(`http://127.0.0.1:${site.nginx.port}/live/zara/s3cret/5.m3u8`)
    const explained = await ask(`/explain?url=${url}&ip=127.0.0.1&ua=${viewer}`)
    const own = encodeURIComponent(`http://127.0.0.1:${site.nginx.port}${OPENER}`)
    const explainedOwn = await ask(`/explain?url=${own}&ip=127.0.0.1&ua=${viewer}`)
    await until('the event', () => site.receiver.start(viewer) !== undefined)
    await until('nginx’s log', () => site.nginx.accessLog().length >= targets.length)
    const shown = {
      sessions,
      denials,
      explained,
      explainedOwn,
      told: [explained, explainedOwn]
        .map((one) => showExplanation(JSON.parse(one) as Explanation))
        .join('\n'),
      event: JSON.stringify(site.receiver.start(viewer)),
      log: site.gate.logText(),
      access: site.nginx.accessLog().join('\n'),
    }
    for (const [where, text] of Object.entries(shown)) {
      assert.doesNotMatch(text, secrets, where)
      assert.match(text, /\/live\/\*\*\*\/\*\*\*\/5/, where)
    }
    const { channel, path, user } = site.receiver.start(viewer) ?? {}
    assert.deepEqual([channel, path, user], [shownPath, shownPath, '1001'])
  })

  test('sessions are found and closed by the channel that is shown', async () => {
    const viewer = newViewer()
    assert.equal(await site.play(viewer, OPENER), 200)
    const found = JSON.parse(await ask(`/sessions?channel=${encodeURIComponent(shownPath)}`)) as {
      total: number
    }
    assert.ok(found.total >= 1)
  })

  test('not in nginx’s access log while the gate is down', async () => {
    const viewer = newViewer()
    await site.gate.service.stop()
    assert.equal(await site.play(viewer, '/movie/zara/s3cret/7.mp4'), 403)
    await until('nginx’s log', () => site.nginx.accessLog().some((line) => line.includes('gate-unavailable')))
    assert.doesNotMatch(site.nginx.accessLog().join('\n'), secrets)
  })
})
