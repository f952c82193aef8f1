import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verdictKeyOf } from '../../src/session/identity.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  type PretendGateOptions,
} from '../support/pretend-gate.ts'

/** Xtream Codes and XUI, with and without the kind of stream in front. */
const credentialPattern =
  /^\/(?:(?:(?:live|movie|series|timeshift)|hlsr\/[^/]+)\/)?([^/]+)\/([^/]+)\/(?=[^/]*\d)/
/** The same without `hlsr`, as docs/backends.md has it. */
const documented = /^\/(?:(?:live|movie|series|timeshift)\/)?([^/]+)\/([^/]+)\/\d+(?:[._/-]|$)/
const channelPattern = /^\/(?:live|hlsr\/[^/]+)\/[^/]+\/[^/]+\/(\d+)(?:[._/-]|$)/

/** The backend judges by the path: `u/p` may watch all but what is numbered 6. */
function createXtream(options: PretendGateOptions): PretendGate {
  const gate = createPretendGate({ credentialPattern, ...options })
  gate.answers(({ path }) => (/\/u\/p\//.test(path) && !/\/6(?:\D|$)/.test(path) ? allow() : deny()))
  return gate
}

/** What becomes of a request: `rides`, `own` verdict repeated, or the backend is asked: `yes` or `no`. */
async function seen(gate: PretendGate, target: string, userAgent: string): Promise<string> {
  const before = gate.asked.length
  const { verdict, reason } = await gate.decide(clientRequest(target, { userAgent }))
  if (gate.asked.length > before) return verdict === 'allow' ? 'yes' : 'no'
  return reason === 'riding' ? 'rides' : reason === 'remembered' ? 'own' : reason
}

type Grid = Readonly<Record<string, Readonly<Record<string, string>>>>

const withoutChannels: Grid = {
  '/live/u/p/5.m3u8': {
    '/live/u/p/5.m3u8': 'own',
    '/live/u/p/5.m3u8?_HLS_msn=1': 'own',
    '/live/u/p/5_1.ts': 'rides',
    '/live/u/p/5-1.ts': 'rides',
    '/live/u/p/5.ts': 'rides',
    '/live/u/p/5/1.ts': 'rides',
    '/live/u/p/5/hd/1.ts': 'rides',
    '/live/u/p/5_1.ts?a=1': 'yes',
    '/live/u/p/5/hd.m3u8': 'yes',
    '/live/u/p/51.ts': 'yes',
    '/live/u/p/5a1.ts': 'yes',
    '/live/u/p/5%201.ts': 'yes',
    '/live/u/p/7.ts': 'yes',
    '/live/u/p/6.ts': 'no',
    '/live/u/p/6.m3u8': 'no',
    '/live/u/p/6': 'no',
    '/live/u/p/6/1.ts': 'no',
    '/live/u/WRONG/5.ts': 'no',
    '/live/u/WRONG/5.m3u8': 'no',
    '/live/u/WRONG/5_1.ts': 'no',
    '/live/WRONG/p/5_1.ts': 'no',
    '/live/U/P/5_1.ts': 'no',
    '/live/u%2Fp/x/5_1.ts': 'no',
    '/movie/u/p/5.mp4': 'yes',
    '/u/p/5': 'yes',
    '/u/WRONG/5': 'no',
    '/live/u/5.ts': 'no',
    '/hls/5_1.ts': 'no',
  },
  '/live/u/p/5/index9.m3u8': {
    '/live/u/p/5/1.ts': 'rides',
    '/live/u/p/5/hd/1.ts': 'rides',
    '/live/u/p/5.ts': 'yes',
    '/live/u/p/6/1.ts': 'no',
    '/live/u/WRONG/5/1.ts': 'no',
  },
  // A client may have invented it. The streams of all channels lie beside it.
  '/live/u/p/all0.m3u8': { '/live/u/p/6.ts': 'no', '/live/u/p/5.ts': 'yes', '/live/u/p/all0.m3u8': 'own' },
  '/timeshift/u/p/60/2024-05-01:10-00/5.m3u8': {
    '/timeshift/u/p/60/2024-05-01:10-00/5_1.ts': 'rides',
    '/timeshift/u/p/60/2024-05-01:10-00/6.ts': 'no',
    '/timeshift/u/WRONG/60/2024-05-01:10-00/5_1.ts': 'no',
  },
  '/live/u/p/5.ts': {
    '/live/u/p/5.ts': 'own',
    '/live/u/p/5.m3u8': 'yes',
    '/live/u/p/5_1.ts': 'yes',
    '/live/u/WRONG/5.ts': 'no',
  },
  '/u/p/5': { '/u/p/5': 'own', '/u/p/6': 'no', '/u/WRONG/5': 'no' },
}

const withChannels: Grid = {
  '/live/u/p/5.m3u8': {
    '/live/u/p/5.m3u8': 'own',
    '/live/u/p/5_1.ts': 'own',
    '/live/u/p/5.ts': 'own',
    '/hlsr/abc/u/p/5/1/5_1.ts': 'own',
    '/live/u/p/6.ts': 'no',
    '/live/u/p/51.ts': 'yes',
    '/live/u/WRONG/5.ts': 'no',
    '/live/u/WRONG/5_1.ts': 'no',
    '/live/u/WRONG/5.m3u8': 'no',
    '/hlsr/abc/u/WRONG/5/1/5_1.ts': 'no',
    '/live/u/p/5_1.ts?a=1': 'yes',
    '/movie/u/p/5.mp4': 'yes',
  },
  '/live/u/p/5.ts': { '/live/u/p/5.m3u8': 'own', '/live/u/p/6.m3u8': 'no', '/live/u/WRONG/5.m3u8': 'no' },
}

for (const [what, grid, options] of [
  ['without CHANNEL_PATTERN', withoutChannels, {}],
  ['as documented', withoutChannels, { credentialPattern: documented }],
  ['with CHANNEL_PATTERN', withChannels, { channelPattern }],
] as const) {
  for (const [opener, asked] of Object.entries(grid)) {
    describe(`a credential in the path, ${what}, after ${opener}:`, () => {
      for (const [target, expected] of Object.entries(asked)) {
        test(`${target} ${expected}`, async () => {
          const gate = createXtream(options)
          assert.equal(await seen(gate, opener, 'player'), 'yes')
          assert.equal(await seen(gate, target, 'player'), expected)
          assert.match(await seen(gate, opener, 'player'), /^(?:own|rides)$/, 'the session lives on')
          assert.match(await seen(gate, target, 'another player'), /^(?:yes|no)$/)
        })
      }
    })
  }
}

describe('a credential in the path', () => {
  test('with a session of a token: neither stands for the other', async () => {
    const gate = createXtream({ channelPattern: /(?:ch|\/)(\d+)[._]/ })
    gate.answers(({ path, query }) => (path.includes('/u/p/') || query === 'token=X' ? allow() : deny()))
    assert.equal(await seen(gate, '/ch/5.m3u8?token=X', 'a'), 'yes')
    assert.equal(await seen(gate, '/ch/5_1.ts', 'a'), 'rides')
    assert.equal(await seen(gate, '/live/u/WRONG/5_1.ts', 'a'), 'no')
    assert.equal(await seen(gate, '/live/u/WRONG/5_1.ts?token=X', 'a'), 'yes', 'is asked about')
    assert.equal(await seen(gate, '/live/u/p/5.m3u8', 'b'), 'yes')
    assert.equal(await seen(gate, '/ch/5_1.ts?token=bad', 'b'), 'no')
    assert.equal(await seen(gate, '/ch/5_1.ts', 'b'), 'rides')
  })

  test('is told apart in questions on their way, and in denials', async () => {
    const gate = createXtream({ channelPattern })
    const targets = ['/live/u/p/5.ts', '/live/u/WRONG/5.ts', '/live/u/WRONG/5.m3u8', '/live/u/p/5.m3u8']
    const decisions = await Promise.all(targets.map((target) => gate.decide(clientRequest(target))))
    assert.deepEqual(
      decisions.map(({ verdict }) => verdict),
      ['allow', 'deny', 'deny', 'allow'],
    )
    assert.deepEqual(
      gate.asked.map(({ subrequest, credential }) => [subrequest.path, credential]),
      [
        ['/live/u/p/5.ts', true],
        ['/live/u/WRONG/5.ts', true],
      ],
    )
  })

  test('is in the requests that a re-check sends', async () => {
    const gate = createXtream({ channelPattern })
    await gate.decide(clientRequest('/live/u/p/5.m3u8'))
    gate.pass(60_000)
    gate.decideAtOnce(clientRequest('/live/u/p/5_1.ts'))
    assert.deepEqual(
      gate.asked.map(({ occasion, subrequest, credential }) => [occasion, subrequest.path, credential]),
      [
        ['question', '/live/u/p/5.m3u8', true],
        ['re-check', '/live/u/p/5.m3u8', true],
      ],
    )
  })
})

describe('the groups of a credential are kept apart:', () => {
  const keyOf = (pattern: RegExp, path: string): string =>
    verdictKeyOf(
      createPretendGate({ channelPattern: /\/(\d)$/, credentialPattern: pattern }).identify(
        clientRequest(path),
      ),
    )
  const slashes = /^\/([^/]*)\/([^/]*)\//
  const optional = /^\/(?:(x*)-)?(\w+)\//
  const pairs: readonly (readonly [RegExp, string, string])[] = [
    [slashes, '/a/bc/5', '/ab/c/5'],
    [slashes, '/a/b/5', '/b/a/5'],
    [slashes, '/a//5', '//a/5'],
    [optional, '/-p/5', '/p/5'],
    [optional, '/x-p/5', '/-p/5'],
    [/^\/(?:(a)|(b)|c)\//, '/a/5', '/b/5'],
    [/^\/(?:(a)|(b)|c)\//, '/c/5', '/d/5'],
    [/^\/(\w)(\w*)\/(?=(\d))/, '/ab/5', '/a/5'],
  ]
  for (const [pattern, one, other] of pairs) {
    test(`${one} is not ${other} with ${pattern.source}`, () => {
      assert.notEqual(keyOf(pattern, one), keyOf(pattern, other))
    })
  }

  test('what is in no group does not count', () => {
    assert.equal(keyOf(/^\/\w+\/(\w+)\//, '/a/x/5'), keyOf(/^\/\w+\/(\w+)\//, '/b/x/5'))
  })
})
