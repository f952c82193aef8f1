import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { channelFiles } from '../support/channel-files.ts'
import { clientRequest, createPretendGate, deny, settled, tokens } from '../support/pretend-gate.ts'
import { forSuite } from '../support/scope.ts'
import { startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

/** Milliseconds. */
const ALLOW_TTL = 1_000
const SEGMENT = 200
/**
 * One more segment may be sent after the latest re-check that jitter allows: the one that starts the
 * re-check.
 */
const BOUND = ALLOW_TTL * 1.1 + SEGMENT
/** On the pretend clock. */
const FOR_EVER = 600_000
/** What a busy machine may add. */
const MARGIN = 250

const PLAYLIST = '/live/one/index.m3u8?token=good'

/**
 * Asks for a segment each 200 ms until one is refused. Returns when the last one was let in, after `since`.
 */
async function playUntilRefused(viewer: Viewer, targets: readonly string[], since: number): Promise<number> {
  let lastAllowed = 0
  for (;;) {
    const next = performance.now() + SEGMENT
    for (const target of targets) {
      const asked = performance.now() - since
      assert.ok(asked < 10_000, 'never cut')
      if ((await viewer.get(target)) === 403) return lastAllowed
      lastAllowed = asked
    }
    await delay(Math.max(0, next - performance.now()))
  }
}

describe('a backend that changes its mind, through nginx', () => {
  const site = forSuite((scope) =>
    startSite(scope, {
      environment: { ALLOW_TTL: `${ALLOW_TTL}ms` },
      nginx: { files: channelFiles(['one', 'two'], 1) },
    }),
  )
  beforeEach(() => {
    site.backend.answer = hasToken('good')
  })

  test('cuts a playing viewer within ALLOW_TTL, its jitter and one segment', async (t) => {
    const { backend, nginx } = site
    const viewer = createViewer(t, nginx)
    const before = backend.asked.length
    assert.equal(await viewer.get(PLAYLIST), 200)
    // Right after a re-check is the worst moment: a whole new ALLOW_TTL begins for the viewer.
    for (let n = 0; backend.asked.length < before + 3; n++) {
      assert.ok(n < 200, 'never re-checked')
      assert.equal(await viewer.get('/live/one/0.ts'), 200)
      await delay(SEGMENT / 4)
    }

    backend.answer = (_asked, response) => void response.writeHead(403).end()
    const lastAllowed = await playUntilRefused(viewer, ['/live/one/0.ts'], performance.now())
    t.diagnostic(`the last segment went out ${Math.round(lastAllowed)} ms after the backend changed its mind`)
    assert.ok(lastAllowed > ALLOW_TTL * 0.9 - SEGMENT, `cut after ${lastAllowed} ms, with nobody asked`)
    assert.ok(lastAllowed < BOUND + MARGIN, `still let in after ${lastAllowed} ms`)
    assert.equal(await viewer.get('/live/one/0.ts'), 403, 'and stays cut')
    assert.equal(await viewer.get('/live/one/index.m3u8'), 403)
    assert.equal(await viewer.get(PLAYLIST), 403)
  })

  test('cuts a viewer who put the token on several playlists just as soon', async (t) => {
    const { backend, nginx } = site
    const viewer = createViewer(t, nginx)
    // A master with audio and subtitles, each with the query of the master: four sessions of one viewer.
    for (const name of ['master', 'audio', 'subtitles', 'index'])
      await viewer.get(`/live/one/${name}.m3u8?token=good`)

    backend.answer = (_asked, response) => void response.writeHead(403).end()
    const lastAllowed = await playUntilRefused(viewer, ['/live/one/0.ts'], performance.now())
    t.diagnostic(`the last segment went out ${Math.round(lastAllowed)} ms after the backend changed its mind`)
    assert.ok(lastAllowed < BOUND + MARGIN, `still let in after ${lastAllowed} ms`)
  })

  test('cuts nobody else, and lets the viewer in again as a new session', async (t) => {
    const { backend, nginx } = site
    const [viewer, other] = [createViewer(t, nginx), createViewer(t, nginx)]
    const otherPlays = async (): Promise<void> => assert.equal(await other.get('/live/one/0.ts'), 200)
    assert.equal(await viewer.get(PLAYLIST), 200)
    assert.equal(await other.get('/live/one/index.m3u8?token=better'), 403)
    backend.answer = ({ headers }, response) => {
      response.writeHead(headers['X-Real-Ua'] === viewer.userAgent ? 403 : 200).end()
    }
    assert.equal(await other.get(PLAYLIST), 200)
    const cut = playUntilRefused(viewer, ['/live/one/0.ts'], performance.now())
    for (let n = 0; n < 12; n++) {
      await otherPlays()
      await delay(SEGMENT)
    }
    await cut
    await otherPlays()

    // DENY_TTL is 5 s: until then nobody is asked again.
    backend.answer = hasToken('good')
    assert.equal(await viewer.get(PLAYLIST), 403)
    const began = performance.now()
    while ((await viewer.get(PLAYLIST)) === 403) {
      assert.ok(performance.now() - began < 7_000, 'not let in again')
      await delay(SEGMENT)
    }
    assert.equal(await viewer.get('/live/one/0.ts'), 200)
    const log = await readViewerLog(nginx, viewer.userAgent)
    assert.notEqual(log.at(-1)?.session, log[0]?.session)
    const others = await readViewerLog(nginx, other.userAgent)
    const playing = others.filter(({ status }) => status === 200).map(({ session }) => session)
    assert.equal(new Set(playing).size, 1, 'the other one kept its session')
  })
})

describe('a backend that changes its mind, on a pretend clock', () => {
  for (const [what, chance, latest] of [
    ['least', 0, 54_000],
    ['no', 0.5, 60_000],
    ['most', 1, 66_000],
  ] as const) {
    test(`with ${what} jitter the re-check is the first segment after ${latest / 1_000} s, and the next one is refused`, async () => {
      const gate = createPretendGate({ random: () => chance })
      gate.answers(tokens('good'))
      await gate.decide(clientRequest(PLAYLIST))
      gate.answers(deny)
      const segment = clientRequest('/live/one/0.ts')
      let lastAllowed = 0
      for (;;) {
        assert.ok(gate.now() < FOR_EVER, 'never cut')
        gate.pass(4_000)
        const { verdict } = await gate.decide(segment)
        await settled()
        if (verdict === 'deny') break
        lastAllowed = gate.now()
      }
      assert.equal(lastAllowed, Math.ceil(latest / 4_000) * 4_000)
      assert.equal(gate.asked.length, 3, 'the opening, the re-check, the segment without a session')
    })
  }

  test('a hundred playlists opened with the token give no further segment', async () => {
    const gate = createPretendGate()
    gate.answers(tokens('good'))
    for (let n = 0; n < 100; n++) await gate.decide(clientRequest(`/live/one/${n}.m3u8?token=good`))
    gate.answers(deny)
    let lastAllowed = 0
    while (lastAllowed === gate.now()) {
      assert.ok(lastAllowed < FOR_EVER, 'never cut')
      gate.pass(4_000)
      const { verdict } = await gate.decide(clientRequest('/live/one/0.ts'))
      await settled()
      if (verdict === 'allow') lastAllowed = gate.now()
    }
    assert.equal(lastAllowed, 60_000)
  })

  // Two boxes of the same model behind one address are one viewer to the gate.
  for (const [what, late] of [
    ['due in the same moment', 0],
    ['due a second earlier', -1_000],
    ['due a second later', 1_000],
  ] as const) {
    test(`another channel of the viewer, with a token that is still good and ${what}, plays on`, async () => {
      const gate = createPretendGate()
      gate.answers(tokens('good', 'better'))
      const openings = [
        { at: 1_000, target: PLAYLIST },
        { at: 1_000 + late, target: '/live/two/index.m3u8?token=better' },
      ].sort((a, b) => a.at - b.at)
      for (const { at, target } of openings) {
        gate.pass(at - gate.now())
        await gate.decide(clientRequest(target))
      }
      gate.answers(tokens('better'))
      gate.pass(63_000 - gate.now())
      await gate.decide(clientRequest('/live/one/0.ts'))
      await settled()
      assert.equal((await gate.decide(clientRequest('/live/one/1.ts'))).verdict, 'deny')
      for (let n = 0; n < 3; n++) {
        assert.equal((await gate.decide(clientRequest(`/live/two/${n}.ts`))).verdict, 'allow')
        await settled()
        gate.pass(4_000)
      }
    })
  }
})
