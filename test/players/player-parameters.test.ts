import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { channelFiles } from '../support/channel-files.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { questionsDuring, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer } from '../support/viewer.ts'

const REQUESTS = 8

/**
 * What a player adds to its nth request: low-latency HLS (RFC 8216bis, section 6.2.5) and CMCD (CTA-5004) in
 * a query.
 */
const parameters: Readonly<Record<string, (n: number) => string>> = {
  _HLS_msn: (n) => `_HLS_msn=${270 + n}`,
  '_HLS_msn and _HLS_part': (n) => `_HLS_msn=${270 + (n >> 2)}&_HLS_part=${n & 3}`,
  _HLS_skip: (n) => `_HLS_msn=${n}&_HLS_skip=${n % 2 === 0 ? 'YES' : 'v2'}`,
  _HLS_push: (n) => `_HLS_push=${n % 2}&_HLS_part=${n}`,
  CMCD: (n) => `CMCD=br%3D${1000 + n}%2Cbl%3D${n * 100}%2Cot%3Dv%2Csid%3D%226e2fb550%22`,
  'both kinds': (n) => `_HLS_msn=${n}&CMCD=br%3D${1000 + n}%2Csf%3Dh&_HLS_part=${n & 3}`,
  'a kind each time another': (n) => [`_HLS_msn=${n}`, `CMCD=bl%3D${n}`, '_HLS_skip=YES'][n % 3] ?? '',
}

/** Where the player puts them. */
const places: Readonly<Record<string, (own: string, varied: string) => string>> = {
  behind: (own, varied) => [own, varied].filter((part) => part !== '').join('&'),
  'in front of': (own, varied) => [varied, own].filter((part) => part !== '').join('&'),
}

/** The nth request of a playing viewer: playlist and segment in turn. */
const fileOf = (n: number): string => (n % 2 === 0 ? 'index.m3u8' : `${n}.ts`)

describe('parameters that players vary', () => {
  const scope = suiteScope()
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, { nginx: { files: channelFiles(['one'], REQUESTS) } })
    site.backend.answer = hasToken('good')
    return site
  })

  /** Plays with these queries, one a request; what the backend was asked meanwhile. */
  const play = async (queryOf: (n: number) => string, status = 200): Promise<string[]> => {
    const viewer = createViewer(scope, site.nginx)
    const asked = await questionsDuring(site.backend, async () => {
      for (let n = 0; n < REQUESTS; n++)
        assert.equal(await viewer.get(`/live/one/${fileOf(n)}?${queryOf(n)}`), status, `request ${n}`)
    })
    return asked.map(({ target }) => target)
  }

  for (const [name, varied] of Object.entries(parameters)) {
    for (const [where, place] of Object.entries(places)) {
      test(`${name} ${where} a token on every URL: one question, which tells all`, async () => {
        const targets = await play((n) => place('token=good', varied(n)))
        assert.deepEqual(targets, [`/auth?${place('token=good', varied(0))}`])
      })
    }

    test(`${name} behind a token on the entry only: one question, which tells all`, async () => {
      const targets = await play((n) => (n === 0 ? `token=good&${varied(0)}` : varied(n)))
      assert.deepEqual(targets, [`/auth?token=good&${varied(0)}`])
    })
  }

  test('a refused player that varies them costs one question in each DENY_TTL', async () => {
    const viewer = createViewer(scope, site.nginx)
    const asked = await questionsDuring(site.backend, async () => {
      for (let n = 0; n < REQUESTS; n++) {
        const target = `/live/one/index.m3u8?token=bad&${parameters['both kinds']?.(n)}`
        assert.equal(await viewer.get(target), 403)
      }
    })
    assert.equal(asked.length, 1)
  })

  for (const other of ['quality=2', '_hls_msn=1', 'HLS_msn=1', 'cmcd=bl%3D1', 'CMCDX=1', 'x_HLS_msn=1']) {
    test(`another parameter is asked about: ${other}`, async () => {
      const viewer = createViewer(scope, site.nginx)
      const asked = await questionsDuring(site.backend, async () => {
        for (const query of ['token=good&_HLS_msn=1', `token=good&${other}&_HLS_msn=2`])
          assert.equal(await viewer.get(`/live/one/index.m3u8?${query}`), 200)
      })
      assert.deepEqual(
        asked.map(({ target }) => target),
        ['/auth?token=good&_HLS_msn=1', `/auth?token=good&${other}&_HLS_msn=2`],
      )
    })
  }

  test('a token that changes among them is asked about, and refused when it is bad', async () => {
    const viewer = createViewer(scope, site.nginx)
    assert.equal(await viewer.get('/live/one/index.m3u8?token=good&_HLS_msn=1'), 200)
    assert.equal(await viewer.get('/live/one/index.m3u8?token=bad&_HLS_msn=1'), 403)
    assert.equal(await viewer.get('/live/one/1.ts?CMCD=bl%3D1&token=bad'), 403)
  })
})
