import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { forSuite, type Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { copyRepository } from './copy-repository.ts'
import { bootDebian } from './debian.ts'
import { askBoth, followNginx, followSettings } from './follow-page.ts'
import { giveChannel } from './give-channel.ts'
import { readCommands, withVersion } from './read-commands.ts'
import { mainPid } from './running-service.ts'
import { followSeveralGates } from './several-gates.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const [make = '', install = '', example = '', ...others] = readCommands('Debian package')
const [update = ''] = readCommands('Updating')
const [goBack = ''] = readCommands('Going back')
const [removeSite = '', purge = ''] = readCommands('Removing')
const settings = '/etc/alta-auth/alta-auth.env'
const snippets = '/etc/nginx/alta-auth'

const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
/** A command of the page, for this version and this machine. */
const ofThis = (block: string, number = version): string =>
  withVersion(block, number).replaceAll('_amd64.deb', `_${architecture}.deb`)

const execute = promisify(execFile)
const run = async (program: string, ...parameters: string[]): Promise<string> =>
  (await execute(program, parameters, { encoding: 'utf8', maxBuffer: 67_108_864 })).stdout

/** Makes the package as the page says. Resolves with the path of the file. */
async function makePackage(clone: string, umask: string): Promise<string> {
  await run('sh', '-euc', `cd '${clone}'; umask ${umask}; ${make}`)
  return join(clone, `alta-auth_${version}_${architecture}.deb`)
}

/** The package as another version of it, with one snippet that differs. */
async function another(scope: Scope, deb: string, number: string, changed: string): Promise<string> {
  const folder = makeTemporaryFolder(scope)
  await run('dpkg-deb', '--raw-extract', deb, folder)
  const control = join(folder, 'DEBIAN/control')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${number}`))
  for (const place of [snippets, '/usr/lib/alta-auth/nginx/alta-auth']) {
    const file = join(folder, place, changed)
    writeFileSync(file, `${readFileSync(file, 'utf8')}# as in ${number}\n`)
  }
  const made = join(makeTemporaryFolder(scope), `alta-auth_${number}_${architecture}.deb`)
  await run('dpkg-deb', '--root-owner-group', '--build', folder, made)
  return made
}

describe('docs/install.md, followed on a clean Debian with the Debian package', () => {
  const server = forSuite(async (scope) => {
    const booting = bootDebian(scope, 'deb')
    const deb = await makePackage(copyRepository(scope), '022')
    const [debian, older, newer] = await Promise.all([
      booting,
      another(scope, deb, '0.0.1', 'location.conf'),
      another(scope, deb, '999.0.0', 'server.conf'),
    ])
    for (const [folder, file] of Object.entries({ older, deb, newer })) {
      await debian.run(`mkdir /root/${folder}`)
      await debian.copyIn(file, `/root/${folder}/`)
    }
    return { scope, deb, debian }
  })
  const sum = async (file: string): Promise<string> => (await server.debian.run(`md5sum < ${file}`)).trim()

  test('the same sources give the same bytes, whatever the folder and the umask', async () => {
    const other = await makePackage(copyRepository(server.scope), '077')
    assert.ok(readFileSync(other).equals(readFileSync(server.deb)))
  })

  test('lintian finds no error, and nothing to warn of but what deb/lintian-overrides gives a reason for', async () => {
    const found = await run('lintian', '--allow-root', '--fail-on', 'none', '--show-overrides', server.deb)
    assert.deepEqual(found.match(/^[EW]: .*$/gm) ?? [], [])
    // It does look: the packages of Debian are not used.
    assert.match(found, /^O: alta-auth: embedded-javascript-library /m)
  })

  test('brings the pages, a man page, and no file that only developers need', async () => {
    const files = await run('dpkg-deb', '--contents', server.deb)
    for (const path of [
      'doc/alta-auth/docs/install.md',
      'doc/alta-auth/copyright',
      'man/man1/alta-auth.1.gz',
    ])
      assert.ok(files.includes(` ./usr/share/${path}\n`), path)
    assert.doesNotMatch(files, /typescript|biome|\.ts\n|\.map\n/)
    // LevelDB for the architecture of the package, and no sources.
    const native = files.split('\n').filter((line) => line.endsWith('.node'))
    assert.equal(native.length, 1, native.join('\n'))
    assert.match(
      native[0] ?? '',
      /^-rw-r--r-- root\/root .*\/classic-level\/prebuilds\/linux-\w+\/classic-level\./,
    )
    assert.doesNotMatch(files, /\.(?:cc|gypi?|h)\n/)
    assert.equal(await run('dpkg-deb', '--field', server.deb, 'Architecture'), `${architecture}\n`)
  })

  test('a package for another architecture differs only in LevelDB and what it needs', async () => {
    const other = architecture === 'arm64' ? 'amd64' : 'arm64'
    const clone = copyRepository(server.scope)
    await run('sh', '-euc', `cd '${clone}'; ${make.trim()} -- ${other}`)
    const made = join(clone, `alta-auth_${version}_${other}.deb`)
    assert.equal(await run('dpkg-deb', '--field', made, 'Architecture'), `${other}\n`)
    const namesIn = async (deb: string) =>
      (await run('dpkg-deb', '--contents', deb))
        .split('\n')
        .map((line) => line.replace(/^.* \.\//, ''))
        .filter((name) => !name.includes('/prebuilds/linux-'))
    assert.deepEqual(await namesIn(made), await namesIn(server.deb))
  })

  test('installing: the gate runs, with Node.js', async () => {
    assert.deepEqual(others, [])
    const { debian } = server
    await debian.run(install, '/root/older')
    assert.equal(await debian.run('alta-auth --version'), `${version}\n`)
    assert.ok((await mainPid(debian)) > 0)
    const level = `const { ClassicLevel } = require('classic-level'); const db = new ClassicLevel('/tmp/store')
      db.put('a', '1').then(() => db.get('a')).then(console.log).then(() => db.close())`
    assert.equal(await debian.run(`node -e "${level}"`, '/usr/lib/alta-auth'), '1\n')
    await debian.run(example)
  })

  test('Settings: the gate runs with them', () => followSettings(server.debian))

  test('nginx: a good token gets 200, a bad one 403', async () => {
    await giveChannel(server.debian)
    await followNginx(server.debian)
  })

  test('Several gates on one machine: who plays at one goes on at the other, and nobody is asked', () =>
    followSeveralGates(server.debian))

  test('Updating: no request is lost, who plays goes on, settings and edits stay, the snippets are new', async () => {
    const { debian } = server
    await debian.run(`echo '# the address of my gate' >> ${snippets}/http.conf`)
    const kept = [await sum(settings), await sum(`${snippets}/http.conf`)]
    const before = [await mainPid(debian), await mainPid(debian, 'alta-auth@2.service')]
    const socket = 'systemctl show --property ActiveEnterTimestampMonotonic alta-auth.socket'
    const socketBefore = await debian.run(socket)
    const [good = ''] = readCommands('nginx')[1]?.split('\n') ?? []
    const box = good.replace('curl', 'curl -A box')
    assert.equal(await debian.run(box), '200\n')
    await debian.start(
      'sh',
      '-c',
      `until test -e /tmp/stop; do ${good} >> /tmp/codes; done; touch /tmp/stopped`,
    )

    await debian.run(ofThis(update), '/root/deb')

    await debian.run('touch /tmp/stop; until test -e /tmp/stopped; do sleep 0.1; done')
    const codes = (await debian.run('cat /tmp/codes')).trim().split('\n')
    assert.deepEqual(new Set(codes), new Set(['200']))
    // Without a token only a session from before the update lets the box in.
    assert.equal(await debian.run(box.replace('?token=123', '')), '200\n')
    assert.ok(codes.length > 10, `${codes.length} requests`)
    const after = [await mainPid(debian), await mainPid(debian, 'alta-auth@2.service')]
    for (const [gate, pid] of after.entries()) assert.ok(pid > 0 && pid !== before[gate], `gate ${gate + 1}`)
    assert.equal(await debian.run(socket), socketBefore)
    assert.deepEqual([await sum(settings), await sum(`${snippets}/http.conf`)], kept)
    const shipped = await debian.run('cat /usr/lib/alta-auth/nginx/alta-auth/location.conf')
    assert.doesNotMatch(shipped, /as in/)
    assert.equal(await debian.run(`cat ${snippets}/location.conf`), shipped)
    assert.equal(await askBoth(debian), '200\n403\n')
  })

  test('Going back: the older package and its snippets, and the new one again', async () => {
    const { debian } = server
    const installed = async () => /^Version: (.*)$/m.exec(await debian.run('dpkg --status alta-auth'))?.[1]
    await debian.run(ofThis(goBack, '0.0.1'), '/root/older')
    assert.equal(await installed(), '0.0.1')
    assert.match(await debian.run(`cat ${snippets}/location.conf`), /as in 0\.0\.1/)
    assert.equal(await askBoth(debian), '200\n403\n')
    await debian.run(ofThis(update), '/root/deb')
    assert.equal(await installed(), version)
  })

  test('a snippet that is edited and new: dpkg asks, and an edit is never overwritten unseen', async () => {
    const { debian } = server
    await debian.run(`echo '# mine' >> ${snippets}/server.conf`)
    await debian.run('systemctl disable --now alta-auth.service')
    const edited = await sum(`${snippets}/server.conf`)
    const asked = await debian.tryRun(ofThis(update, '999.0.0'), '/root/newer')
    assert.notEqual(asked.code, 0)
    assert.match(asked.output, /Configuration file '\/etc\/nginx\/alta-auth\/server\.conf'/)
    assert.equal(await sum(`${snippets}/server.conf`), edited)
    await debian.run('dpkg --force-confold --configure --pending')
    assert.equal(await sum(`${snippets}/server.conf`), edited)
    assert.match(await debian.run(`cat ${snippets}/server.conf.dpkg-dist`), /as in 999/)
    // What the operator has switched off stays off.
    assert.equal((await debian.tryRun('systemctl is-enabled alta-auth.service')).output, 'disabled\n')
    assert.equal(await mainPid(debian), 0)
  })

  test('remove keeps settings and snippets, and installing again takes them', async () => {
    const { debian } = server
    const kept = await sum(settings)
    await debian.run('apt remove -y alta-auth')
    assert.equal((await debian.tryRun('test -e /usr/lib/alta-auth -o -e /usr/bin/alta-auth')).code, 1)
    assert.equal((await debian.tryRun('curl -s http://127.0.0.1:9180/')).code, 7)
    await debian.run('nginx -t')
    await debian.run('systemctl daemon-reload; dpkg --install --force-confold /root/newer/alta-auth_*.deb')
    assert.equal(await sum(settings), kept)
    // The service is switched off, so the first request starts the gate, and nginx waits three seconds for it.
    await until('the gate to answer', async () => (await askBoth(debian)) === '200\n403\n', 30_000)
  })

  test('Removing: nothing is left, and nginx goes on', async () => {
    const { debian } = server
    assert.doesNotMatch(await debian.run(removeSite), /^\/etc\/nginx\/\S+:\d+:/m)
    await debian.run('mkdir -p /run/alta-auth-store/state.aside /var/lib/alta-auth/state')
    await debian.run(purge)
    for (const folder of ['/run/alta-auth-store', '/var/lib/alta-auth'])
      assert.equal((await debian.tryRun(`test -e ${folder}`)).code, 1, folder)
    const left = 'find / -xdev -iname "*alta-auth*" -not -path "/root/*" -not -path "/proc/*"'
    assert.equal(await debian.run(left), '')
    assert.notEqual((await debian.tryRun('id alta-auth')).code, 0)
    assert.notEqual((await debian.tryRun('getent group alta-auth')).code, 0)
    assert.doesNotMatch(await debian.run('systemctl list-units --all --no-legend'), /alta-auth/)
    assert.equal(
      await debian.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/index.nginx-debian.html"),
      '200',
    )
  })
})
