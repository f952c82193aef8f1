import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { tellsOnlyDirectoriesApart } from '../../src/session/scope.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import type { Decision } from '../../src/verdict.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  settled,
} from '../support/pretend-gate.ts'
import { rounds } from '../support/rounds.ts'
import { createVerdictKey } from '../support/verdict-key.ts'
import { wordsOf } from '../support/words.ts'

const seed = Number(process.env['CACHEABLE_SEED'] ?? 20_261_124)
/** The number of histories, and the least number of pairs with one key that they must produce. */
const RUNS = rounds(2_500, 8_000)
const PAIRS = RUNS / 4

/**
 * Patterns that find the same channel in all files of a directory, and patterns for which that is not
 * certain.
 */
const wholeSteps = wordsOf(String.raw`
  ^/live/([^/]+)/ ^/([^/]+)/ ^/[^/]+/([^/]+)/ ^/live/([^/]+)/[^/]+/ ^/a-b/c_d/([^/]+)/ ^\/live\/([^\/]+)\/
  ^/live/([^/]+)/([^/]+)/ ^/(?:live|vod)/([^/]+)/`)
const others = wordsOf(String.raw`
  ^/live/([^/-]+) ^/live/([^/]+) ^/live/([^/]+)/? ^/live/([^/]*)/ ^/live/(.+)/ /live/([^/]+)/
  ^/live/([^/]+)/|x ^/(live|vod)/ ^/live/([^/]+)/$ ^/live/([^/]+)/(?=a) ^/live/([^/]+)/([^/]+)
  ^/live/([^/]+)/[a-z]+ ^/live/([^/]+?)/ ^(/live/[^/]+/.*)$ ^/live/([^/]+\.ts)/ ^/li.e/([^/]+)/
  ^/(?:live|v.d)/([^/]+)/ ^/(?:live|vod)([^/]+)/ ^/(?:live|vod/?)/([^/]+)/`)

const segments = fc.constantFrom('live', 'vod', 'a', 'b', 'one', 'hd')
const files = fc.constantFrom(
  'index.m3u8',
  'a.m3u8',
  'b.m3u8',
  'x.mpd',
  '1.ts',
  'a-1.ts',
  'b-1.ts',
  '5.m3u8',
  '5_1.ts',
  '',
  'a',
  'manifest',
)
const paths = fc
  .tuple(fc.constantFrom('/', '/live/'), fc.array(segments, { maxLength: 2 }), files)
  .map(([start, steps, file]) => `${start}${steps.map((step) => `${step}/`).join('')}${file}`)
const queries = fc.constantFrom('', '', 'token=X', 'token=X', 'token=Y', 'a=1', 'token=X&_HLS_msn=1')
const viewers = fc.constantFrom('VLC', 'VLC', 'VLC', 'other')

const someRequest = fc
  .tuple(paths, queries, viewers)
  .map(([path, query, userAgent]): Subrequest => clientRequest(path, { query, userAgent }))
const history = fc.record({
  channelPattern: fc.constantFrom('', '', ...wholeSteps, '^/live/([^/-]+)', '^/live/([^/.]+)', '^/(live)/'),
  credentialPattern: fc.constantFrom(
    ...[
      '',
      '',
      '',
      '',
      '^/live/([^/]+)/',
      '^/(?:live|vod)/([^/]+)/([^/]+)/',
      '/([ab])(-|/)',
      '^/live/([^/]+)',
    ],
  ),
  openers: fc.array(fc.tuple(someRequest, fc.boolean(), fc.constantFrom(0, 0, 300, 4_000, 30_000, 70_000)), {
    maxLength: 4,
  }),
  first: fc.tuple(someRequest, fc.boolean()),
  between: fc.array(fc.tuple(someRequest, fc.boolean()), { maxLength: 2 }),
  file: fc.constantFrom('1.ts', '2.ts', '5_1.ts', '6.ts', 'a-1.ts', 'b-1.ts', 'f.mp4', 'a', ''),
  waited: fc.double({ min: 0, max: 0.999, noNaN: true }),
})

/** Another request that nginx may take for this one: a file of the same directory, or the same request. */
function beside(request: Subrequest, file: string): Subrequest {
  return { ...request, path: request.path.slice(0, request.path.lastIndexOf('/') + 1) + file }
}

async function decideAs(gate: PretendGate, request: Subrequest, allows: boolean): Promise<Decision> {
  gate.answers(() => (allows ? allow() : deny()))
  const decision = await gate.decide(request)
  await settled()
  return decision
}

describe('what nginx may repeat', () => {
  const keyOf = createVerdictKey()

  test('is what the gate would say itself, whatever has happened before and meanwhile', async (t) => {
    const found = { allow: 0, deny: 0, otherFile: 0 }
    // One gate for each pattern, and other viewers for each history: to make a gate takes longer than a
    // history.
    const gates = new Map<string, PretendGate>()
    const patternOf = (text: string): RegExp | undefined => (text === '' ? undefined : new RegExp(text))
    const gateOf = (channel: string, credential: string): PretendGate => {
      const patterns = { channelPattern: patternOf(channel), credentialPattern: patternOf(credential) }
      const gate = gates.get(`${channel} ${credential}`) ?? createPretendGate(patterns)
      gates.set(`${channel} ${credential}`, gate)
      return gate
    }
    let histories = 0
    await fc.assert(
      fc.asyncProperty(
        history,
        async ({ openers, first: [firstSent, allows], between, file, waited, ...patterns }) => {
          const gate = gateOf(patterns.channelPattern, patterns.credentialPattern)
          const address = `10.0.${histories >> 8}.${histories++ & 255}`
          const first = { ...firstSent, address }
          for (const [request, itAllows, later] of openers) {
            await decideAs(gate, { ...request, address }, itAllows)
            gate.pass(later)
          }
          const remembered = await decideAs(gate, first, allows)
          if (!remembered.cacheable || remembered.holdsFor < 1_000) return
          const began = gate.now()
          gate.pass(Math.floor(Math.min(remembered.holdsFor, 10_000) * waited))
          const seconds = [first, beside(first, file)].filter((second) => keyOf(second) === keyOf(first))
          for (const [request, itAllows] of between) await decideAs(gate, { ...request, address }, itAllows)
          assert.ok(gate.now() - began < remembered.holdsFor)
          for (const second of seconds) {
            // The backend now answers differently: the new answer does not count.
            const { verdict } = await decideAs(gate, second, remembered.verdict === 'deny')
            assert.equal(verdict, remembered.verdict, `${first.path} then ${second.path}`)
            found[verdict]++
            if (second.path !== first.path) found.otherFile++
          }
        },
      ),
      { numRuns: RUNS, seed },
    )
    t.diagnostic(`seed ${seed} (CACHEABLE_SEED changes it): ${JSON.stringify(found)}`)
    assert.ok(found.allow + found.deny >= PAIRS, 'too few pairs: little was shown')
    assert.ok(found.deny >= RUNS / 80 && found.otherFile >= RUNS / 40, 'too few of a kind')
  })

  const kinds: readonly (readonly [
    what: string,
    opener: string,
    asked: string,
    cacheable: boolean,
    pattern?: string,
  ])[] = [
    ['a playlist that opens a session', '/a/i.m3u8?token=X', '/a/i.m3u8?token=X', true],
    ['a segment beside it', '/a/i.m3u8?token=X', '/a/1.ts', true],
    ['a segment with the same token', '/a/i.m3u8?token=X', '/a/1.ts?token=X', true],
    ['a child playlist', '/a/i.m3u8?token=X', '/a/hd/i.m3u8', true],
    ['a film', '/a/film.mp4?token=X', '/a/film.mp4?token=X', false],
    ['a film without its token', '/a/film.mp4?token=X', '/a/film.mp4', false],
    ['a stream', '/a?token=X', '/a?token=X', false],
    [
      'a segment of a channel that is a step of the path',
      '/live/a/i.m3u8?token=X',
      '/live/a/1.ts',
      true,
      '^/live/([^/]+)/',
    ],
    ['a film in a channel', '/live/a/f.mp4?token=X', '/live/a/g.mp4?token=X', true, '^/live/([^/]+)/'],
    ['a film outside of all channels', '/vod/f.mp4?token=X', '/vod/f.mp4?token=X', false, '^/live/([^/]+)/'],
    [
      'a segment of a channel that is part of a name',
      '/live/a.m3u8?token=X',
      '/live/a-1.ts',
      false,
      '^/live/([^/.-]+)',
    ],
    ['its playlist', '/live/a.m3u8?token=X', '/live/a.m3u8?token=X', true, '^/live/([^/.-]+)'],
  ]
  const behind = [
    ['5/i.m3u8', '5/1.ts', '^/live/([^/]+)/([^/]+)/', true],
    ['5/i.m3u8', '5/1.ts', '^/live/([^/]+)/([^/]+)', false],
    // The stream 6 lies beside it, and has the same place in nginx's cache.
    ['5.m3u8', '5_1.ts', '^/live/([^/]+)/([^/]+)/', false],
    ['5.m3u8', '5.m3u8', '^/live/([^/]+)/([^/]+)/', true],
  ] as const
  for (const [opener, asked, credential, cacheable] of behind) {
    test(`${cacheable ? 'may be' : 'is not'} the allow of ${asked} on ${opener} behind ${credential}`, async () => {
      const gate = createPretendGate({ credentialPattern: new RegExp(credential) })
      await gate.decide(clientRequest(`/live/u/p/${opener}?token=X`))
      const decision = gate.decideAtOnce(clientRequest(`/live/u/p/${asked}?token=X`))
      assert.deepEqual([decision.verdict, decision.cacheable], ['allow', cacheable])
    })
  }

  for (const [what, opener, asked, cacheable, pattern] of kinds) {
    test(`${cacheable ? 'may be' : 'is not'} the allow of ${what}`, async () => {
      const gate = createPretendGate({
        channelPattern: pattern === undefined ? undefined : new RegExp(pattern),
      })
      await gate.decide(clientRequest(opener))
      const decision = gate.decideAtOnce(clientRequest(asked))
      assert.deepEqual([decision.verdict, decision.cacheable], ['allow', cacheable])
    })
  }

  for (const [asked, cacheable] of [
    ['/a/i.m3u8?token=bad', true],
    ['/a/Manifest?token=', true],
    ['/a/i.m3u8', false],
    ['/a/i.m3u8?a=1', false],
    ['/a/1.ts', false],
    ['/a/1.ts?token=bad', false],
    ['/a/film.mp4?token=bad', false],
  ] as const) {
    test(`${cacheable ? 'may be' : 'is not'} the deny of ${asked}, new and remembered`, async () => {
      const gate = createPretendGate()
      for (const decision of [
        await gate.decide(clientRequest(asked)),
        gate.decideAtOnce(clientRequest(asked)),
      ]) {
        assert.deepEqual([decision.verdict, decision.cacheable], ['deny', cacheable])
      }
    })
  }

  test('is nothing that was answered to a request that joined the question of another file', async () => {
    const gate = createPretendGate({ channelPattern: /^\/live\/([^/]+)\// })
    const [, joined] = await Promise.all(
      ['/live/a/i.m3u8?token=X', '/live/a/f.mp4?token=X'].map((target) => gate.decide(clientRequest(target))),
    )
    assert.equal(gate.asked.length, 1)
    assert.deepEqual([joined?.verdict, joined?.cacheable], ['allow', false])
  })
})

describe('a pattern', () => {
  for (const source of wholeSteps) {
    test(`${source} finds the same groups in all files of a directory`, () => {
      const pattern = new RegExp(source)
      assert.ok(tellsOnlyDirectoriesApart(pattern))
      const name = fc.stringMatching(/^[a-z0-9.%~-]{0,6}$/)
      fc.assert(
        fc.property(
          fc.array(fc.oneof(segments, name), { maxLength: 4 }),
          name,
          name,
          (steps, file, other) => {
            const directory = `/${steps.map((step) => `${step}/`).join('')}`
            assert.deepEqual(
              pattern.exec(directory + file)?.slice(1),
              pattern.exec(directory + other)?.slice(1),
            )
          },
        ),
        { seed },
      )
    })
  }
  for (const source of ['', ...others]) {
    test(`${JSON.stringify(source)} may tell the files of a directory apart`, () => {
      assert.equal(tellsOnlyDirectoriesApart(new RegExp(source)), false)
    })
  }
  test('with flags is not known', () => {
    assert.equal(tellsOnlyDirectoriesApart(/^\/live\/([^/]+)\//i), false)
  })
})
