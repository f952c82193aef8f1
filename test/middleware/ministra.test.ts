import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings } from '../../src/config/read-settings.ts'
import { channelFiles } from '../support/channel-files.ts'
import {
  createTemporaryLinks,
  LINK_LIFE,
  ministraOutcome,
  ministraPath,
  ministraScript,
  type TemporaryLinks,
} from '../support/ministra-portal.ts'
import { clientRequest, createPretendGate, type PretendGate, settled } from '../support/pretend-gate.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { questionsDuring, startSite } from '../support/site.ts'
import { createViewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND

/** A gate with the preset's lifetimes (or others), the portal behind it, and one pretend clock for both. */
function startPretending(environment: Readonly<Record<string, string>> = { MIDDLEWARE: 'ministra' }): {
  gate: PretendGate
  links: TemporaryLinks
} {
  const result = readSettings({ BACKEND_URL: 'http://portal.example.com', ...environment })
  assert.ok(result.ok)
  const gate = createPretendGate({ lifetimes: result.settings.lifetimes, idle: result.settings.sessionIdle })
  const links = createTemporaryLinks(() => gate.now())
  gate.answers(({ query }) => ministraOutcome(links, query))
  return { gate, links }
}

/** Plays a channel: the playlist again with its token, and a segment without one, every 6 s. */
async function play(gate: PretendGate, playlist: string, duration: number): Promise<void> {
  const segment = playlist.replace(/index\.m3u8.*$/, '1.ts')
  for (let played = 0; played <= duration; played += 6 * SECOND) {
    for (const target of [playlist, segment]) {
      const { verdict } = await gate.decide(clientRequest(target))
      assert.equal(verdict, 'allow', `${target} after ${played / SECOND} s`)
      await settled()
    }
    gate.pass(6 * SECOND)
  }
}

describe('tokens of Ministra, which die after 5 seconds', () => {
  for (const [what, duration] of [
    ['a minute', 60 * SECOND],
    ['past the 10 hours of X-AuthDuration', 11 * HOUR],
  ] as const) {
    test(`the viewer plays ${what} on one question`, async () => {
      const { gate, links } = startPretending()
      await play(gate, `/live/one/index.m3u8?token=${links.issue('42')}`, duration)
      assert.equal(gate.asked.length, 1)
    })
  }

  test('without the preset, X-AuthDuration counts more than ALLOW_TTL: the viewer plays 8 hours', async () => {
    const { gate, links } = startPretending({ MIDDLEWARE: 'custom', ALLOW_TTL: '10s' })
    await play(gate, `/live/one/index.m3u8?token=${links.issue('42')}`, 8 * HOUR)
    assert.equal(gate.asked.length, 1)
  })

  test('a second viewer with the same token after 6 s is refused', async () => {
    const { gate, links } = startPretending()
    const playlist = `/live/one/index.m3u8?token=${links.issue('42')}`
    await play(gate, playlist, 0)
    for (const other of [{ address: '192.0.2.2' }, { userAgent: 'another' }]) {
      const { verdict, source } = await gate.decide(clientRequest(playlist, other))
      assert.deepEqual([verdict, source], ['deny', 'backend'])
    }
    assert.equal((await gate.decide(clientRequest(playlist))).verdict, 'allow', 'the first one plays on')
  })

  test('a second channel is asked about: its live token opens it, a dead one does not', async () => {
    const { gate, links } = startPretending()
    const token = links.issue('42')
    await play(gate, `/live/one/index.m3u8?token=${token}`, 0)

    const dead = await gate.decide(clientRequest(`/live/two/index.m3u8?token=${token}`))
    assert.deepEqual([dead.verdict, dead.source], ['deny', 'backend'])
    const bare = await gate.decide(clientRequest('/live/two/1.ts'))
    assert.deepEqual([bare.verdict, bare.source], ['deny', 'backend'])
    const live = await gate.decide(clientRequest(`/live/two/index.m3u8?token=${links.issue('42')}`))
    assert.deepEqual([live.verdict, live.source], ['allow', 'backend'])
    assert.equal(gate.asked.length, 4)
  })
})

describe("Ministra's script behind MIDDLEWARE=ministra, the gate and nginx", () => {
  const scope = suiteScope()
  let now = 0
  /** The portal's clock. The gate's own stands still meanwhile: what it keeps outlives every link. */
  const links = createTemporaryLinks(() => now)
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, {
      backendPath: '',
      environment: { MIDDLEWARE: 'ministra' },
      nginx: { files: channelFiles(['one', 'two'], 16) },
    })
    site.backend.answer = ministraScript(links)
    return site
  })

  test('play goes on with a token that is dead long since: one question, to the documented path', async () => {
    const viewer = createViewer(scope, site.nginx)
    const second = createViewer(scope, site.nginx)
    const token = links.issue('user-42')
    const asked = await questionsDuring(site.backend, async () => {
      for (let n = 0; n < 16; n++) {
        now += SECOND
        assert.equal(await viewer.get(`/live/one/index.m3u8?token=${token}`), 200, `playlist after ${n} s`)
        assert.equal(await viewer.get(`/live/one/${n}.ts`), 200, `segment after ${n} s`)
      }
    })
    assert.ok(now > 2 * LINK_LIFE)
    assert.deepEqual(
      asked.map(({ target }) => target),
      [`${ministraPath}?token=${token}`],
    )
    const sessions = (await readViewerLog(site.nginx, viewer.userAgent)).map(({ session }) => session)
    assert.equal(sessions.length, 32)
    assert.deepEqual([...new Set(sessions)], [asked[0]?.headers['X-Session-Id']])

    assert.equal(await second.get(`/live/one/index.m3u8?token=${token}`), 403, 'another viewer, dead token')
    assert.equal(await viewer.get(`/live/two/index.m3u8?token=${token}`), 403, 'another channel, dead token')
  })

  test("X-UserId is in nginx's log, for the playlist and for what rides", async () => {
    const viewer = createViewer(scope, site.nginx)
    assert.equal(await viewer.get(`/live/one/index.m3u8?token=${links.issue('user-7')}`), 200)
    assert.equal(await viewer.get('/live/one/1.ts'), 200)
    await readViewerLog(site.nginx, viewer.userAgent)
    const lines = site.nginx.accessLog().filter((line) => line.endsWith(`"${viewer.userAgent}"`))
    assert.equal(lines.length, 2)
    for (const line of lines) assert.match(line, / user=user-7 request=[0-9a-f]{32} "/)
  })
})
