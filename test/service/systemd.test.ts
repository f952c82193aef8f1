import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { suiteScope } from '../support/scope.ts'
import {
  analyzeUnits,
  exposureOf,
  layOutUnits,
  readUnit,
  shippedNode,
  valueIn,
} from '../support/shipped-units.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** 0 is safe, 10 is exposed. */
const MAX_EXPOSURE = 2.5

describe('the systemd units', () => {
  const scope = suiteScope()
  let folder = ''
  before(() => {
    folder = layOutUnits(scope)
  })

  const value = (kind: 'service' | 'socket', name: string): string | undefined =>
    valueIn(`alta-auth.${kind}`, name)

  test('are accepted by systemd-analyze verify without a word', () => {
    const units = ['alta-auth.service', 'alta-auth.socket'].map((name) => join(folder, name))
    const { status, stdout, stderr } = analyzeUnits('verify', '--man=no', ...units)
    assert.equal(stdout + stderr, '')
    assert.equal(status, 0)
  })

  test('verify does complain about a name that is none', () => {
    const unit = join(makeTemporaryFolder(scope), 'alta-auth.socket')
    writeFileSync(unit, readUnit('alta-auth.socket').replace('NoDelay=', 'NoDely='))
    assert.match(analyzeUnits('verify', '--man=no', unit).stderr, /NoDely/)
  })

  test(`expose the service below ${MAX_EXPOSURE}`, (t) => {
    const exposure = exposureOf(join(folder, 'alta-auth.service'))
    t.diagnostic(`exposure ${exposure}`)
    assert.ok(exposure < MAX_EXPOSURE, `${exposure}`)
  })

  test('start a gate again that is killed every second, without end, and give up one that cannot start', () => {
    const seconds = Number(/^(\d+)s$/.exec(value('service', 'StartLimitIntervalSec') ?? '')?.[1])
    const starts = Number(value('service', 'StartLimitBurst'))
    assert.ok(starts > seconds)
    assert.equal(value('service', 'Restart'), 'always')
    const pause = 0.2
    assert.equal(value('service', 'RestartSec'), `${pause * 1000}ms`)
    // As long as it takes to find a mistake in the settings, on a slow machine.
    assert.ok(starts * (pause + 0.6) < seconds)
  })

  test('start node itself, so that the socket and signals reach it', () => {
    assert.match(value('service', 'ExecStart') ?? '', new RegExp(`^${shippedNode} /\\S+/dist/main\\.js$`))
  })

  test('give the service a directory in memory that outlives it, and is not where sockets lie', () => {
    const name = value('service', 'RuntimeDirectory')
    assert.equal(value('service', 'RuntimeDirectoryMode'), '0700')
    assert.equal(value('service', 'RuntimeDirectoryPreserve'), 'yes')
    // Where "alta-auth config" looks for it.
    const source = readFileSync(
      fileURLToPath(new URL('../../src/config/find-settings.ts', import.meta.url)),
      'utf8',
    )
    assert.match(source, new RegExp(`runtime: '/run/${name}'`))
    // systemd would give a socket in it to the service's user, and nginx could not reach it any more.
    for (const page of ['nginx/alta-auth/http.conf', 'docs/nginx.md', 'systemd/alta-auth.socket'])
      assert.doesNotMatch(
        readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), 'utf8'),
        new RegExp(`/run/${name}/`),
        page,
      )
  })

  test('open the socket that nginx asks as shipped, with a line of 4096', () => {
    const nginx = readFileSync(
      fileURLToPath(new URL('../../nginx/alta-auth/http.conf', import.meta.url)),
      'utf8',
    )
    assert.match(nginx, new RegExp(`^ *server ${value('socket', 'ListenStream')} `, 'm'))
    assert.equal(value('socket', 'Backlog'), '4096')
    assert.equal(value('service', 'Requires'), 'alta-auth.socket')
  })
})
