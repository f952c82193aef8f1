import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Asking, neighbours, pairs } from '../support/cache-pairs.ts'
import { request } from '../support/client.ts'
import { type CountedSite, startCountedSite } from '../support/counted-site.ts'
import { suiteScope } from '../support/scope.ts'
import { type Site, startSite } from '../support/site.ts'

const patterns: Readonly<Record<string, string>> = {
  'no CHANNEL_PATTERN': '',
  'channels in one directory': '^/live/([^/-]+)',
  'a directory for each channel': '^/live/([^/]+)/',
}
/**
 * The backend's answers until the verdict is remembered, and after that. The second may only come from the
 * gate's own memory.
 */
const turns = [
  ['allows', 200, 403],
  ['denies', 403, 200],
] as const

let cases = 0

/** The address shows the backend which case asks. */
const addressOf = (id: number, host: number): string => `10.${id >> 8}.${id & 255}.${host}`
const idOf = (address: string): number => {
  const [, high, low] = address.split('.').map(Number)
  return (high ?? 0) * 256 + (low ?? 0)
}

for (const [name, pattern] of Object.entries(patterns)) {
  describe(`no verdict crosses, ${name}:`, () => {
    const scope = suiteScope()
    let cached: CountedSite
    /** Another gate behind another nginx, without the cache: its answers are right. */
    let oracle: Site
    const says = new Map<number, number>()
    before(async () => {
      // This test is about keys, not about times: no verdict may expire meanwhile, however slow the machine
      // is.
      const environment = { ALLOW_TTL: '1h', DENY_TTL: '1h', SESSION_IDLE: '1h', CHANNEL_PATTERN: pattern }
      const http = 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;'
      const nginx = { http, server: 'location / { LOCATION empty_gif; }' }
      cached = await startCountedSite(scope, { environment, nginx })
      oracle = await startSite(scope, { environment, nginx })
      for (const { backend } of [cached, oracle]) {
        backend.answer = ({ headers }, response) => {
          response.writeHead(says.get(idOf(headers['X-Real-Ip'] ?? '')) ?? 500).end()
        }
      }
    })
    const ask = async ({ nginx }: Site, id: number, asking: Asking): Promise<number> => {
      const { target, host = 1, userAgent = 'player', playbackId, tls = false } = asking
      const headers = [
        `X-Forwarded-For: ${addressOf(id, host)}`,
        ...(userAgent === '' ? [] : [`User-Agent: ${userAgent}`]),
        ...(playbackId === undefined ? [] : [`X-Playback-Session-Id: ${playbackId}`]),
      ]
      const site = asking.site ?? 'Host: live.example.com'
      const port = tls ? nginx.tlsPort : nginx.port
      return (await request({ port, tls, target, headers, host: site })).status
    }
    /** The answer to the last request, when each of the first ones came twice before. */
    const play = async (
      site: Site,
      first: readonly Asking[],
      then: Asking,
      turn: readonly [string, number, number],
    ): Promise<number> => {
      const id = ++cases
      says.set(id, turn[1])
      for (const asking of [...first, ...first]) await ask(site, id, asking)
      says.set(id, turn[2])
      return await ask(site, id, then)
    }

    for (const [what, first, then] of pairs) {
      test(what, async () => {
        for (const turn of turns) {
          const [got, right] = await Promise.all(
            [cached, oracle].map((site) => play(site, first, then, turn)),
          )
          assert.equal(got, right, `the backend ${turn[0]} at first`)
        }
      })
    }

    test(`each of ${neighbours.length} neighbours after each other one and a playlist`, async () => {
      const all = neighbours.flatMap((first) => neighbours.map((then) => [first, then] as const))
      const hops = await cached.subrequestsDuring(async () => {
        for (const turn of turns) {
          const wrong = await Promise.all(
            all.map(async ([first, then]) => {
              const asked = [{ target: '/live/one/index.m3u8?token=X' }, { target: first }]
              const right = await play(oracle, asked, { target: then }, turn)
              const got = await play(cached, asked, { target: then }, turn)
              return got === right ? [] : [`${first} then ${then}: ${got}, not ${right}`]
            }),
          )
          assert.deepEqual(wrong.flat(), [], `the backend ${turn[0]} at first`)
        }
      })
      assert.ok(hops < all.length * turns.length * 5, 'nothing was repeated by nginx, so nothing was shown')
    })
  })
}
