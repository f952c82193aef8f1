import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring } from '../support/site.ts'

const PLAYERS = 40
const MOVES = 6
const SEGMENTS = 5

describe('two gates without a common store, behind one nginx', () => {
  const stage = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    const tokens = createOneTimeTokens()
    backend.answer = tokens.answer
    /** User-Agent → the gates that have seen it. */
    const seenBy = new Map<string, Set<number>>()
    const addresses: string[] = []
    for (const at of [0, 1]) {
      const gate = await startGate(scope, {
        ...{ BACKEND_URL: backend.url, SESSION_COOKIE: 'on', ALLOW_TTL: 'session' },
      })
      gate.service.gateServer.on('request', ({ headers }) => {
        const viewer = String(headers['x-original-ua'])
        seenBy.set(viewer, (seenBy.get(viewer) ?? new Set()).add(at))
      })
      addresses.push(gate.address)
    }
    const nginx = await startNginx(scope, {
      gates: addresses,
      files: { ...channelFiles(['one'], SEGMENTS), '/plain/index.m3u8': '#EXTM3U\n', '/plain/0.ts': 'G' },
      server: 'location / { LOCATION COOKIE } location /plain/ { LOCATION }',
      http: 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;',
    })
    return { backend, tokens, nginx, seenBy }
  })
  const opening = (path: string): string => `${path}?token=${stage.tokens.issue('somebody')}`
  const gatesOf = (viewers: readonly string[]): number[] => {
    const gates = viewers.map((viewer) => [...(stage.seenBy.get(viewer) ?? [])])
    assert.ok(
      gates.every((each) => each.length === 1),
      'each viewer has one gate',
    )
    return gates.flat()
  }

  test(`${PLAYERS} players with cookies change their addresses, and each keeps its gate`, async (t) => {
    const players = Array.from({ length: PLAYERS }, () => createCookiePlayer(t, stage.nginx))
    let refused = 0
    const asked = await questionsDuring(stage.backend, () =>
      Promise.all(
        players.map(async (player, n) => {
          const from = (move: number) => ({
            'X-Forwarded-For': move % 3 === 2 ? `2001:db8:${n}:${move}::1` : `10.${move}.0.${n}`,
          })
          assert.equal(await player.get(opening('/live/one/index.m3u8'), from(0)), 200)
          for (let move = 1; move <= MOVES; move++)
            for (const target of [`/live/one/${move % SEGMENTS}.ts`, '/live/one/index.m3u8'])
              if ((await player.get(target, from(move))) !== 200) refused++
        }),
      ),
    )
    t.diagnostic(`${PLAYERS * MOVES} moves, ${refused} refused, ${asked.length} questions`)
    assert.deepEqual([refused, asked.length], [0, PLAYERS])
    assert.equal(new Set(gatesOf(players.map(({ userAgent }) => userAgent))).size, 2)
  })

  test('without cookie.conf an IPv6 client keeps its gate within its /64', async (t) => {
    const players = Array.from({ length: PLAYERS }, () =>
      createCookiePlayer(t, stage.nginx, { userAgent: newViewer(), keepsCookies: false }),
    )
    let refused = 0
    const asked = await questionsDuring(stage.backend, () =>
      Promise.all(
        players.map(async (player, n) => {
          const from = (move: number) => ({
            'X-Forwarded-For': `2001:db8:${n}:7:${((move * 40503) % 65536).toString(16)}:1:2:3`,
          })
          assert.equal(await player.get(opening('/plain/index.m3u8'), from(0)), 200)
          for (let move = 1; move <= MOVES; move++)
            if ((await player.get('/plain/0.ts', from(move))) !== 200) refused++
        }),
      ),
    )
    assert.deepEqual([refused, asked.length], [0, PLAYERS])
    assert.equal(new Set(gatesOf(players.map(({ userAgent }) => userAgent))).size, 2)
  })
})
