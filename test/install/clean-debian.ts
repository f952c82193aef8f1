import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { bootDebian } from './debian.ts'
import { readCommands } from './read-commands.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))

const clone = '/root/alta-auth'
const settings = '/etc/alta-auth/alta-auth.env'
const backend = `require('node:http').createServer((request, response) => {
  response.writeHead(new URL(request.url, 'http://backend').searchParams.get('token') === '123' ? 200 : 403).end()
}).listen(6000, '127.0.0.1')`

describe('docs/install.md, followed on a clean Debian', () => {
  const debian = forSuite(async (scope) => {
    const debian = await bootDebian(scope)
    // As git would clone it, with what is not committed yet.
    const copy = makeTemporaryFolder(scope)
    const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate']
    const files = execFileSync('git', list, { cwd: repository, encoding: 'utf8' }).trim().split('\n')
    const there = files.filter((file) => existsSync(join(repository, file)))
    for (const file of there) cpSync(join(repository, file), join(copy, file))
    await debian.copyIn(`${copy}/.`, clone)
    return debian
  })

  const follow = async (blocks: readonly string[]): Promise<string[]> => {
    const printed: string[] = []
    for (const block of blocks) printed.push(await debian.run(block, clone))
    return printed
  }
  const mainPid = async (): Promise<number> =>
    Number(await debian.run('systemctl show --property MainPID --value alta-auth.service'))
  const [, ask = ''] = readCommands('nginx')

  test('npm: gives the command', async () => {
    const printed = await follow(readCommands('npm'))
    assert.ok(printed.at(-1)?.endsWith(`\n${version}\n`), printed.at(-1))
  })

  test('systemd: runs the gate', async () => {
    const [place = '', check = '', start = '', ...others] = readCommands('systemd')
    assert.deepEqual(others, [])
    await follow([place])
    assert.equal(await debian.run(`stat --format '%a %U:%G' ${settings}`), '640 root:alta-auth\n')
    // The line of the page about backslashes.
    await debian.run(`echo "CHANNEL_PATTERN='^/live/(\\\\w+)/'" >> ${settings}`)

    const [shown = ''] = await follow([check])
    assert.match(shown, /^BACKEND_URL=http:\/\/127\.0\.0\.1:6000\/auth +# environment$/m)
    assert.match(shown, /^CHANNEL_PATTERN=\^\/live\/\(\\w\+\)\/ +# environment$/m)

    const [ready = ''] = await follow([start])
    assert.match(ready, /"ready":true/)
    assert.equal(
      await debian.run('systemctl is-active alta-auth.socket alta-auth.service'),
      'active\nactive\n',
    )
    assert.equal(
      await debian.run('systemctl is-enabled alta-auth.socket alta-auth.service'),
      'enabled\nenabled\n',
    )
    const process = `/proc/${await mainPid()}`
    assert.equal(await debian.run(`stat --format %U ${process}`), 'alta-auth\n')
    const environment = (await debian.run(`cat ${process}/environ`)).split('\0')
    assert.ok(environment.includes('CHANNEL_PATTERN=^/live/(\\w+)/'), environment.join('\n'))
    assert.ok(environment.includes('LISTEN_FDS=1'))
    assert.match(await debian.run(`cat ${process}/status`), /^CapBnd:\t0{16}\n(?:.*\n)*NoNewPrivs:\t1$/m)
  })

  test('nginx: a good token gets 200, a bad one 403', async () => {
    await debian.start('node', '-e', backend)
    await debian.run('mkdir -p /srv/media/live/channel; echo "#EXTM3U" > /srv/media/live/channel/index.m3u8')
    const [place = '', , check = '', ...others] = readCommands('nginx')
    assert.deepEqual(others, [])
    await follow([place])
    // nginx reloads in the background, and answers as before until it has.
    await until('the new site', async () => (await debian.run(ask)) !== '404\n404\n', 30_000)
    assert.equal(await debian.run(ask), '200\n403\n')
    const log = await debian.run('cat /var/log/nginx/live.access.log')
    assert.match(log, /verdict=allow source=backend reason=backend-200/)
    assert.match(log, /verdict=deny source=backend reason=backend-403/)
    const [found = ''] = await follow([check])
    // A clean server has nothing that could be a warning either.
    assert.match(found, /\nNothing failed(?:, \d+ skipped)?\.\n$/)
  })

  test("nginx asks over systemd's socket: a gate that was stopped is started by the question", async () => {
    const before = await mainPid()
    await debian.run('systemctl stop alta-auth.service')
    assert.equal(await mainPid(), 0)
    assert.equal(await debian.run(ask), '200\n403\n')
    const after = await mainPid()
    assert.ok(after > 0 && after !== before)
  })

  test('updating: the new gate goes on, and nothing that was copied differs', async () => {
    const before = await mainPid()
    const [, differences] = await follow(readCommands('Updating'))
    assert.equal(differences, '')
    assert.notEqual(await mainPid(), before)
    assert.equal(await debian.run(ask), '200\n403\n')
  })

  test('removing: nothing is left, and nginx goes on', async () => {
    await follow(readCommands('Removing'))
    const traces = [
      ...['/etc/alta-auth', '/etc/nginx/alta-auth', '/etc/nginx/conf.d/live.conf'],
      ...['/usr/local/bin/alta-auth', '/usr/local/lib/node_modules/alta-auth'],
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
