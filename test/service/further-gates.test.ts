import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { suiteScope } from '../support/scope.ts'
import { analyzeUnits, exposureOf, layOutUnits, readUnit, valueIn } from '../support/shipped-units.ts'

const [single, further, socket, valkey] = [
  'alta-auth.service',
  'alta-auth@.service',
  'alta-auth@.socket',
  'alta-auth-valkey.service',
]

/** The lines of a section that are no comments. */
function linesOf(unit: string, section: string): string[] {
  const body = new RegExp(`^\\[${section}\\]\\n([^]*?)(?=^\\[|$(?![^]))`, 'm').exec(readUnit(unit))?.[1] ?? ''
  return body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

const readPage = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

describe('the units for several gates on one machine', () => {
  const scope = suiteScope()
  let folder = ''
  before(() => {
    folder = layOutUnits(scope)
  })

  test('are accepted by systemd-analyze verify without a word', () => {
    const names = ['alta-auth@2.service', 'alta-auth@2.socket', valkey]
    const { status, stdout, stderr } = analyzeUnits(
      'verify',
      '--man=no',
      ...names.map((name) => join(folder, name)),
    )
    assert.equal(stdout + stderr, '')
    assert.equal(status, 0)
  })

  test('run a further gate exactly as the first one, but for its name, its socket and its admin listener', () => {
    const own = [
      'Environment=GATE_NAME=%H/%i ADMIN_LISTEN=127.0.0.1:918%i',
      'EnvironmentFile=-/etc/alta-auth/gate-%i.env',
    ]
    const service = linesOf(further, 'Service')
    for (const line of own) assert.ok(service.includes(line), line)
    assert.deepEqual(
      service.filter((line) => !own.includes(line)),
      linesOf(single, 'Service'),
    )
    // A file counts more than the line before it.
    const shared = service.indexOf('EnvironmentFile=/etc/alta-auth/alta-auth.env')
    assert.ok(shared < service.indexOf(own[1] ?? ''))
    assert.deepEqual(linesOf(further, 'Install'), linesOf(single, 'Install'))
    const unit = (name: string) => linesOf(name, 'Unit').filter((line) => !line.startsWith('Description='))
    assert.deepEqual(
      unit(further).map((line) => line.replace('alta-auth@%i.', 'alta-auth.')),
      unit(single),
    )
  })

  test('give each gate a socket that only nginx reaches, with the line of the first one', () => {
    assert.equal(valueIn(socket, 'ListenStream'), '/run/alta-auth-gates/%i.sock')
    assert.deepEqual(
      ['SocketUser', 'SocketGroup', 'SocketMode'].map((name) => valueIn(socket, name)),
      ['root', 'www-data', '0660'],
    )
    assert.equal(valueIn(socket, 'Backlog'), valueIn('alta-auth.socket', 'Backlog'))
    for (const page of ['nginx/alta-auth/http.conf', 'docs/install.md'])
      assert.match(readPage(page), /server unix:\/run\/alta-auth-gates\/2\.sock max_fails=0;/, page)
  })

  test('let the gates alone reach a Valkey that forgets nobody and writes nothing', () => {
    const command = readUnit(valkey).replaceAll('\\\n', ' ')
    for (const option of [
      ...[
        '--port 0',
        '--unixsocketperm 700',
        '--maxmemory-policy noeviction',
        '--save ""',
        '--appendonly no',
      ],
      '--unixsocket /run/alta-auth-valkey/valkey.sock',
    ])
      assert.ok(command.includes(` ${option}`), option)
    for (const name of ['User', 'Group']) assert.equal(valueIn(valkey, name), valueIn(single, name), name)
    assert.equal(valueIn(valkey, 'RuntimeDirectoryMode'), '0700')
    assert.match(readPage('docs/install.md'), /STATE_URL=unix:\/run\/alta-auth-valkey\/valkey\.sock/)
    // Gates find it when the machine starts.
    for (const gate of [single, further])
      assert.match(valueIn(gate, 'After') ?? '', /alta-auth-valkey\.service/)
  })

  test('confine Valkey as the gates, and let it reach no network', () => {
    const isOfGates = (line: string): boolean =>
      /^(?:No|Protect|Private|Restrict|Remove|Lock|SystemCall|Capability|Ambient|UMask)/.test(line)
    const forNode = [
      'SystemCallFilter=@system-service @pkey',
      'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    ]
    const lines = linesOf(valkey, 'Service')
    for (const line of linesOf(single, 'Service').filter(isOfGates))
      if (!forNode.includes(line)) assert.ok(lines.includes(line), line)
    for (const line of [
      'PrivateNetwork=yes',
      'RestrictAddressFamilies=AF_UNIX',
      'SystemCallFilter=@system-service',
    ])
      assert.ok(lines.includes(line), line)
    assert.ok(exposureOf(join(folder, valkey)) < exposureOf(join(folder, single)))
  })
})
