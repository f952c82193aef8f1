import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { showSettings } from '../../src/cli/show-settings.ts'
import { defaultGateName } from '../../src/config/gate-name.ts'
import { maskStoreUrl } from '../../src/config/mask.ts'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import type { StateSettings } from '../../src/config/state-settings.ts'

const BACKEND_URL = 'http://127.0.0.1:6000/auth'
const STATE_SECRET = 's'.repeat(32)

function stateOf(environment: Environment): StateSettings & { kind: 'valkey' } {
  const result = readSettings({ BACKEND_URL, STATE_SECRET, ...environment })
  assert.ok(result.ok, result.ok ? '' : result.problems.join('\n'))
  const { state } = result.settings
  assert.ok(state?.kind === 'valkey')
  return state
}

function problemsOf(environment: Environment): readonly string[] {
  const result = readSettings({ BACKEND_URL, STATE_SECRET, ...environment })
  return result.ok ? [] : result.problems
}

const tcp = (host: string, port = 6379) => ({ kind: 'tcp', host, port }) as const
const plain = { tls: false, database: 0 } as const

describe('a Valkey in STATE_URL', () => {
  test('has the defaults of the documentation', () => {
    assert.deepEqual(stateOf({ STATE_URL: 'valkey://h' }), {
      kind: 'valkey',
      mode: { kind: 'single' },
      nodes: [tcp('h')],
      ...plain,
      prefix: 'alta-auth:',
      secrets: [STATE_SECRET],
      timeout: 100,
    })
  })

  for (const [STATE_URL, expected] of [
    ['valkey://127.0.0.1:7000', { nodes: [tcp('127.0.0.1', 7000)], ...plain }],
    ['redis://valkey_1.example.com/', { nodes: [tcp('valkey_1.example.com')], ...plain }],
    ['valkeys://h/3', { nodes: [tcp('h')], tls: true, database: 3 }],
    ['rediss://h:6380/15', { nodes: [tcp('h', 6380)], tls: true, database: 15 }],
    ['valkey://[2001:db8::1]:7000/1', { nodes: [tcp('2001:db8::1', 7000)], tls: false, database: 1 }],
    ['valkey://[::1]', { nodes: [tcp('::1')], ...plain }],
    [
      'valkey://user:p%40ss%3A%2F%2C%20w%C3%B6rd@h',
      { nodes: [tcp('h')], ...plain, username: 'user', password: 'p@ss:/, wörd' },
    ],
    ['redis://:secret@h:1/2', { nodes: [tcp('h', 1)], tls: false, database: 2, password: 'secret' }],
    ['unix:/run/valkey/v@1.sock', { nodes: [{ kind: 'unix', path: '/run/valkey/v@1.sock' }], ...plain }],
    ['unix:///run/valkey.sock', { nodes: [{ kind: 'unix', path: '/run/valkey.sock' }], ...plain }],
    [
      'unix://user:secret@/run/valkey.sock',
      {
        ...{ nodes: [{ kind: 'unix', path: '/run/valkey.sock' }], ...plain },
        ...{ username: 'user', password: 'secret' },
      },
    ],
  ] as const) {
    test(STATE_URL, () => {
      const {
        kind: _,
        mode: _mode,
        prefix: _prefix,
        secrets: _secrets,
        timeout: _timeout,
        ...seen
      } = stateOf({ STATE_URL })
      assert.deepEqual(seen, expected)
    })
  }

  test('may be several addresses, with user, password and database as in the first', () => {
    for (const STATE_URL of [
      'valkey://u:p@a:1 valkey://b valkey://[::1]:2',
      'redis://u:p@a:1,redis://u:p@b, valkey://u:p@[::1]:2/0',
    ])
      assert.deepEqual(
        (({ nodes, username, password, database }) => ({ nodes, username, password, database }))(
          stateOf({ STATE_URL, STATE_MODE: 'cluster' }),
        ),
        { nodes: [tcp('a', 1), tcp('b'), tcp('::1', 2)], username: 'u', password: 'p', database: 0 },
      )
  })

  test('is one server, a cluster, or behind Sentinels, which have another port', () => {
    const STATE_URL = 'valkey://a,valkey://b:7'
    assert.deepEqual(stateOf({ STATE_URL, STATE_MODE: 'cluster' }).mode, { kind: 'cluster' })
    const { mode, nodes, database } = stateOf({
      STATE_URL: 'valkey://a/2 valkey://b:7/2',
      STATE_MODE: 'sentinel:main-1',
    })
    assert.deepEqual(mode, { kind: 'sentinel', name: 'main-1' })
    assert.deepEqual(nodes, [tcp('a', 26_379), tcp('b', 7)])
    assert.equal(database, 2)
  })

  test('takes prefix, time and two secrets', () => {
    const [one, other] = ['a'.repeat(32), 'b'.repeat(64)]
    const { prefix, timeout, secrets } = stateOf({
      ...{ STATE_URL: 'valkey://h', STATE_PREFIX: 'tv.north_1-:' },
      ...{ STATE_TIMEOUT: '50ms', STATE_SECRET: `${one} ${other}` },
    })
    assert.deepEqual([prefix, timeout, secrets], ['tv.north_1-:', 50, [one, other]])
  })
})

describe('a Valkey that cannot be is told with its cure:', () => {
  for (const [environment, told] of [
    [{ STATE_URL: 'valkey://a valkey://b' }, /^STATE_MODE=single takes one address, but STATE_URL holds 2; /],
    [
      { STATE_URL: 'valkey://a/1', STATE_MODE: 'cluster' },
      /^STATE_MODE=cluster has no database but 0, and STATE_URL names 1; leave it out there$/,
    ],
    [
      { STATE_URL: 'unix:/run/v.sock', STATE_MODE: 'sentinel:main' },
      /^STATE_MODE=sentinel:main needs hosts .*; write|write valkey:\/\/host:26379, or leave STATE_MODE out$/,
    ],
    [{ STATE_URL: 'file:/a', STATE_MODE: 'cluster' }, /^STATE_MODE=cluster needs addresses of Valkey/],
    [{ STATE_MODE: 'sentinel:main' }, /^STATE_MODE=sentinel:main needs addresses of Valkey/],
    [
      { STATE_URL: 'valkey://h', STATE_SECRET: '' },
      /^STATE_SECRET is not set, .*; make one with "openssl rand -hex 32" and write the same one on all gates$/,
    ],
    [{ STATE_URL: 'valkey://a valkeys://b', STATE_MODE: 'cluster' }, /mixes schemes; write all addresses/],
    [{ STATE_URL: 'valkey://a unix:/b', STATE_MODE: 'cluster' }, /mixes schemes/],
    [
      { STATE_URL: 'valkey://a/1 valkey://b/2', STATE_MODE: 'sentinel:m' },
      /names more than one database; write/,
    ],
    [{ STATE_URL: 'valkey://a valkey://b/2', STATE_MODE: 'sentinel:m' }, /names more than one database/],
    [
      { STATE_URL: 'valkey://u:a@a valkey://u:b@b', STATE_MODE: 'cluster' },
      /^STATE_URL=valkey:\/\/\*\*\*@a valkey:\/\/\*\*\*@b has another user or password/,
    ],
    [{ STATE_URL: 'unix:/a unix:/b' }, /holds more than one path; write one/],
    [{ STATE_URL: 'valkey://user@h' }, /=valkey:\/\/\*\*\*@h has no user:password before the @/],
    [{ STATE_URL: 'valkey://user:@h' }, /has no user:password before the @/],
    [{ STATE_URL: 'valkey://u:hunter@2@h' }, /=valkey:\/\/\*\*\*@h has no .* such as @ as %40/],
    [{ STATE_URL: 'valkey://u:hunter%2@h' }, /is not percent-encoded UTF-8; write a % in it as %25/],
    [{ STATE_URL: 'valkey://u:hunter2 @h' }, /=\*\*\* holds an address that is none/],
    [{ STATE_URL: 'valkey://h:0' }, /names no port from 1 to 65535/],
    [{ STATE_URL: 'unix:run/v.sock' }, /needs an absolute path of letters.*unix:\/\/user:password@\/run/],
  ] as const) {
    test(Object.values(environment).join(', '), () => {
      const [problem = '', ...more] = problemsOf(environment)
      assert.deepEqual(more, [])
      assert.match(problem, told)
      assert.doesNotMatch(problem, /hunter/)
    })
  }

  test('a wrong STATE_URL is the only problem, whatever depends on it', () => {
    const environment = { STATE_URL: 'valkey://', STATE_MODE: 'cluster', STATE_SECRET: '' }
    assert.equal(problemsOf(environment).length, 1)
  })
})

test('user and password are never shown', () => {
  for (const [text, shown] of [
    ['valkey://u:p@h:1/2', 'valkey://***@h:1/2'],
    ['valkey://u:p@a, rediss://:p@[::1]:2/0 redis://c', 'valkey://***@a rediss://***@[::1]:2/0 redis://c'],
    ['unix://u:p@/run/v.sock', 'unix://***@/run/v.sock'],
    ['unix:/run/v@1.sock', 'unix:/run/v@1.sock'],
    ['valkey://u:p@p/p@h', 'valkey://***@h'],
    ['valkey://u:p p@h', '***'],
    ['valkey://u:1 2@h', '***'],
    ['valkey://u:1 valkey://2@h', '***'],
    ['valkey://h?password=p', 'valkey://h?***'],
    ['file:/srv/a=b@c', 'file:/srv/a=b@c'],
    ['file:/a redis://u:p@h', '***'],
  ] as const)
    assert.equal(maskStoreUrl(text), shown)
  const environment = { STATE_URL: 'valkey://u:p@a valkey://b', STATE_MODE: 'cluster' }
  const text = showSettings({ environment, fromFile: {}, file: undefined, place: 'the environment' })
  assert.match(text, /^STATE_URL=valkey:\/\/\*\*\*@a valkey:\/\/b +# environment$/m)
})

test('a gate without GATE_NAME is called after its host and where it listens', () => {
  assert.equal(defaultGateName('edge1', { kind: 'tcp', host: '::1', port: 9180 }), 'edge1:9180')
  assert.equal(defaultGateName('edge1', { kind: 'unix', path: '/run/gate.sock' }), 'edge1:/run/gate.sock')
  assert.equal(defaultGateName('edge1', { kind: 'inherited', fd: 3 }), 'edge1')
})
