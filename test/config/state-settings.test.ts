import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { showSettings } from '../../src/cli/show-settings.ts'
import { MEGABYTE } from '../../src/config/heap.ts'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import type { StateSettings } from '../../src/config/state-settings.ts'

const BACKEND_URL = 'http://127.0.0.1:6000/auth'
const RUNTIME_DIRECTORY = '/run/alta-auth-store'

function stateOf(environment: Environment): StateSettings | undefined {
  const result = readSettings({ BACKEND_URL, ...environment })
  assert.ok(result.ok, result.ok ? '' : result.problems.join('\n'))
  return result.settings.state
}

function problemOf(environment: Environment): string {
  const result = readSettings({ BACKEND_URL, ...environment })
  const problems = result.ok ? [] : result.problems
  assert.equal(problems.length, 1, problems.join('\n'))
  return problems[0] ?? ''
}

/** The line of `alta-auth config` about a setting, without the spaces between its two parts. */
function shown(name: string, environment: Environment): string | undefined {
  const text = showSettings({ environment, fromFile: {}, file: undefined, place: 'the environment' })
  return new RegExp(`^${name}=.*$`, 'm').exec(text)?.[0].replace(/ +# /, ' # ')
}

describe('where the store lies', () => {
  for (const [environment, folder, megabytes] of [
    [{ STATE_URL: 'file:/var/lib/alta-auth/state' }, '/var/lib/alta-auth/state', 1024],
    [{ STATE_URL: 'file:///srv/state/' }, '/srv/state', 1024],
    [{ STATE_URL: 'file:/srv/./a//b/../state-1_x@y=z+' }, '/srv/a/state-1_x@y=z+', 1024],
    [{ RUNTIME_DIRECTORY }, '/run/alta-auth-store/state', 64],
    [{ RUNTIME_DIRECTORY: '/run/alta-auth-store:/run/other' }, '/run/alta-auth-store/state', 64],
    [{ RUNTIME_DIRECTORY, STATE_URL: '' }, '/run/alta-auth-store/state', 64],
    [{ RUNTIME_DIRECTORY, STATE_URL: 'file:/run/alta-auth-store/own' }, '/run/alta-auth-store/own', 64],
    [{ RUNTIME_DIRECTORY, STATE_URL: 'file:/run/alta-auth-store-2/own' }, '/run/alta-auth-store-2/own', 1024],
    [{ RUNTIME_DIRECTORY, STATE_URL: 'file:/run/alta-auth-store/../own' }, '/run/own', 1024],
    [{ RUNTIME_DIRECTORY, STATE_URL: 'file:/srv/state' }, '/srv/state', 1024],
    [{ RUNTIME_DIRECTORY, STATE_MAX: '2g' }, '/run/alta-auth-store/state', 2048],
    [{ RUNTIME_DIRECTORY: '/run/alta-auth-store@1' }, '/run/alta-auth-store@1/state', 64],
  ] as const) {
    test(`${JSON.stringify(environment)}: ${folder}, ${megabytes}m`, () => {
      const state = stateOf(environment)
      assert.ok(state?.kind === 'file')
      assert.deepEqual([state.folder, state.max], [folder, megabytes * MEGABYTE])
    })
  }

  for (const environment of [
    {},
    { STATE_URL: '' },
    { STATE_URL: 'off' },
    { STATE_URL: 'off', RUNTIME_DIRECTORY },
    { RUNTIME_DIRECTORY: '' },
    { RUNTIME_DIRECTORY: 'alta-auth' },
  ]) {
    test(`${JSON.stringify(environment)}: nowhere`, () => {
      assert.equal(stateOf(environment), undefined)
    })
  }

  test('is shown by "alta-auth config", with where that comes from', () => {
    assert.equal(shown('STATE_URL', {}), 'STATE_URL=off # default')
    assert.equal(shown('STATE_MAX', {}), 'STATE_MAX=1g # default')
    const given = { RUNTIME_DIRECTORY }
    assert.equal(shown('STATE_URL', given), 'STATE_URL=file:/run/alta-auth-store/state # RUNTIME_DIRECTORY')
    assert.equal(shown('STATE_MAX', given), 'STATE_MAX=64m # RUNTIME_DIRECTORY')
    const own = { RUNTIME_DIRECTORY, STATE_URL: 'file:/srv/a=b@c' }
    assert.equal(shown('STATE_URL', own), 'STATE_URL=file:/srv/a=b@c # environment')
    assert.equal(shown('STATE_URL', { STATE_URL: 'redis://u:p@h' }), 'STATE_URL=redis://***@h # environment')
  })
})

describe('what seals the store', () => {
  const [one, other] = ['a'.repeat(32), `${'b'.repeat(42)}-._~+/==`]

  test('is nothing, one secret, or the new one before the former one', () => {
    const secretsOf = (STATE_SECRET: string) => stateOf({ RUNTIME_DIRECTORY, STATE_SECRET })?.secrets
    assert.deepEqual(secretsOf(''), [])
    assert.deepEqual(secretsOf(one), [one])
    assert.deepEqual(secretsOf(`${other}  ${one}`), [other, one])
  })

  test('is never shown', () => {
    assert.equal(shown('STATE_SECRET', { STATE_SECRET: one }), 'STATE_SECRET=*** # environment')
    assert.doesNotMatch(problemOf({ STATE_SECRET: 'hunter2 hunter3' }), /hunter/)
  })
})
