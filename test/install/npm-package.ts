import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { forSuite } from '../support/scope.ts'
import { copyRepository } from './copy-repository.ts'
import { bootDebian } from './debian.ts'
import { askBoth, followNginx, followSettings } from './follow-page.ts'
import { giveChannel } from './give-channel.ts'
import { readCommands, withVersion } from './read-commands.ts'
import { mainPid } from './running-service.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const clone = '/root/alta-auth'

describe('docs/install.md, followed on a clean Debian with the npm package', () => {
  const debian = forSuite(async (scope) => {
    const debian = await bootDebian(scope, 'npm')
    await debian.copyIn(`${copyRepository(scope)}/.`, clone)
    return debian
  })
  const [, updateProgram = '', compare = ''] = readCommands('Updating')
  const [removeSite = '', , removeGate = ''] = readCommands('Removing')

  test('npm: gives the command, and the service', async () => {
    const [programs = '', make = '', install = '', place = '', ...others] = readCommands('npm')
    assert.deepEqual(others, [])
    for (const block of [programs, make]) await debian.run(block, clone)
    const printed = await debian.run(install, clone)
    assert.ok(printed.endsWith(`\n${version}\n`), printed)
    await debian.run(place)
  })

  test('Settings: the gate runs with them', () => followSettings(debian))

  test('nginx: a good token gets 200, a bad one 403', async () => {
    await giveChannel(debian)
    await followNginx(debian)
  })

  test("nginx asks over systemd's socket: a gate that was stopped is started by the question", async () => {
    const before = await mainPid(debian)
    await debian.run('systemctl stop alta-auth.service')
    assert.equal(await mainPid(debian), 0)
    assert.equal(await askBoth(debian), '200\n403\n')
    const after = await mainPid(debian)
    assert.ok(after > 0 && after !== before)
  })

  test("a Unix socket of systemd's, where http.conf suggests one, stays nginx's when the gate starts", async () => {
    const path = '/run/alta-auth/gate.sock'
    const [dropIn, http] = ['/etc/systemd/system/alta-auth.socket.d', '/etc/nginx/alta-auth/http.conf']
    const lines = ['ListenStream=', `ListenStream=${path}`, 'SocketUser=root', 'SocketGroup=www-data']
    const renew =
      'systemctl daemon-reload; systemctl stop alta-auth.service alta-auth.socket; systemctl start alta-auth.socket alta-auth.service; systemctl restart nginx'
    await debian.run(`mkdir ${dropIn}; printf '%s\\n' '[Socket]' ${lines.join(' ')} SocketMode=0660 > ${dropIn}/unix.conf
      sed -i.before 's#^    server 127.0.0.1:9180 #    server unix:${path} #' ${http}; ${renew}`)
    assert.ok((await mainPid(debian)) > 0)
    assert.equal(await debian.run(`stat --format '%a %U:%G' ${path}`), '660 root:www-data\n')
    assert.equal(await askBoth(debian), '200\n403\n')
    await debian.run(`rm -r ${dropIn}; mv ${http}.before ${http}; ${renew}; rm -r /run/alta-auth`)
    assert.equal(await askBoth(debian), '200\n403\n')
  })

  test('Updating: the new gate goes on, and nothing that was copied differs', async () => {
    const before = await mainPid(debian)
    const printed = await debian.run(withVersion(updateProgram, version), clone)
    assert.ok(printed.startsWith(`${version}\n`) && printed.endsWith(`\n${version}\n`), printed)
    assert.equal(await debian.run(compare), '')
    assert.notEqual(await mainPid(debian), before)
    assert.equal(await askBoth(debian), '200\n403\n')
  })

  test('Removing: nothing is left, and nginx goes on', async () => {
    assert.doesNotMatch(await debian.run(removeSite), /^\/etc\/nginx\/\S+:\d+:/m)
    await debian.run(removeGate)
    const traces = [
      ...['/etc/alta-auth', '/etc/nginx/alta-auth', '/etc/nginx/conf.d/alta-auth-example.conf'],
      ...['/usr/local/bin/alta-auth', '/usr/local/lib/node_modules/alta-auth'],
      ...['/run/alta-auth-store', '/var/lib/alta-auth'],
    ]
    for (const trace of traces) assert.equal((await debian.tryRun(`test -e ${trace}`)).code, 1, trace)
    assert.notEqual((await debian.tryRun('id alta-auth')).code, 0)
    assert.doesNotMatch(await debian.run('systemctl list-unit-files --no-legend'), /alta-auth/)
    assert.match(await debian.run('find /etc -iname "*alta-auth*"'), /^$/)
    assert.equal(
      await debian.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/index.nginx-debian.html"),
      '200',
    )
  })
})
