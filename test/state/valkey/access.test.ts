import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { neededCommands } from '../../../src/state/valkey/probe-rights.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { startChild } from '../../support/child.ts'
import { aclCommandsOfPage } from '../../support/documentation/scale-page.ts'
import { rounds } from '../../support/rounds.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'
import { settingsFor, startValkey } from '../../support/valkey.ts'
import { makeWrite } from '../records.ts'
import { startLink } from './record-link.ts'
import { useAll } from './use-all.ts'
import { makeStore, makeValkeyPlace } from './valkey-place.ts'

/** What docs/scale.md gives. */
const commands = aclCommandsOfPage()
const rights = (all: readonly string[]): string[] => [
  ...['user', 'alta-auth', 'on', '>the-password', '~test:*', 'resetchannels', '-@all'],
  ...all.map((command) => `+${command}`),
]

describe('the rights that the gate needs', { concurrency: 4 }, () => {
  test('are those that the page gives, and that check tries', () => {
    assert.deepEqual([...commands].sort(), [...neededCommands].sort())
  })

  test('the ACL line of the documentation suffices for all that a gate does', async (t) => {
    const server = await startValkey(t, { unix: true })
    await server.cli('ACL', 'SETUSER', 'alta-auth', 'reset', ...rights(commands).slice(2))
    const store = makeStore(settingsFor([server], { username: 'alta-auth', password: 'the-password' }))
    t.after(() => store.close())
    await store.open()
    await useAll(store)
    const log = await server.cli('ACL', 'LOG')
    assert.equal(log, '')
  })

  test('without any of them something fails, and says that rights are missing', async (t) => {
    const each = rounds(4, 1)
    const tried = commands.filter((_command, at) => at % each === 0)
    const server = await startValkey(t, { unix: true })
    const without = async (command: string): Promise<string> => {
      const rest = rights(commands.filter((one) => one !== command)).map((one) =>
        one.replace('test:', 'test*:'),
      )
      await server.cli('ACL', 'SETUSER', command, 'reset', ...rest.slice(2))
      const more = { username: command, password: 'the-password', prefix: `test-${command}:` }
      const store = makeStore(settingsFor([server], more))
      t.after(() => store.close())
      return await store
        .open()
        .then(() => useAll(store, 2_000))
        .then(
          () => 'nothing failed',
          (error: unknown) => String(error),
        )
    }
    const said = await Promise.all(tried.map(async (command) => [command, await without(command)]))
    // The reader of messages tries again, silently.
    const isReading = (command = ''): boolean => ['xread', 'xrange', 'xrevrange'].includes(command)
    for (const [command, text = ''] of said)
      assert.match(
        text,
        isReading(command) ? /message is heard: not within/ : /StoreError.*rights.*ACL/,
        command,
      )
  })
})

describe('the way to Valkey', { concurrency: 4 }, () => {
  test('user, password, number of the database, and prefix are used', async (t) => {
    const server = await startValkey(t)
    await server.cli('ACL', 'SETUSER', 'alta-auth', 'reset', ...rights([...commands, 'select']).slice(2))
    const settings = settingsFor([server], { username: 'alta-auth', password: 'the-password', database: 3 })
    const store = makeStore(settings)
    t.after(() => store.close())
    await store.open()
    await store.write([makeWrite()])
    assert.match(await server.cli('-n', '3', 'KEYS', '*'), /^test:1:/)
    assert.equal(await server.cli('KEYS', '*'), '')
  })

  test('two installations with two prefixes do not see each other', async (t) => {
    const place = await makeValkeyPlace(t)
    const [one, other] = await Promise.all([place.open({ prefix: 'a*:' }), place.open({ prefix: 'ab:' })])
    await one.write([makeWrite()])
    await other.gates.tell({ name: 'edge', version: '1', sessions: 0 })
    assert.deepEqual(await other.recall(makeWrite().record.viewer), [])
    assert.deepEqual(await one.gates.list(), [])
    await other.write([makeWrite()])
    assert.equal((await one.slice(undefined, 100)).writes.length, 1)
  })

  test('no error, and nothing in it, holds the password', async (t) => {
    const server = await startValkey(t, { more: ['--requirepass', 'right'], cli: ['-a', 'right'] })
    const store = makeStore(settingsFor([server], { password: 'the-password' }))
    const error = await store.open().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    const { inspect } = await import('node:util')
    assert.match(inspect(error, { depth: 20, showHidden: true }), /password/)
    assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /the-password/)
  })

  test('over TLS the certificate is checked', async (t) => {
    const folder = makeTemporaryFolder(t)
    const authority = makeAuthority(folder, 'authority')
    const { key, cert } = authority.issue('DNS:localhost,IP:127.0.0.1')
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    writeFileSync(keyFile, key)
    writeFileSync(certFile, cert)
    const acl = join(folder, 'users.acl')
    writeFileSync(acl, `user default off\n${rights(commands).join(' ')}\n`)
    const server = await startValkey(t, {
      tls: true,
      more: [
        ...['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', authority.file],
        ...['--tls-auth-clients', 'no', '--aclfile', acl],
      ],
      cli: ['--cacert', authority.file, '--user', 'alta-auth', '-a', 'the-password'],
    })
    const settings = settingsFor([server], { tls: true, username: 'alta-auth', password: 'the-password' })
    const { link } = await startLink(t, makeStore(settings), 1_000)
    await until('it is told', () => link.state().message !== undefined)
    assert.match(link.state().message ?? '', /NODE_EXTRA_CA_CERTS/)
    // Node reads the variable once, at its start.
    const child = startChild(
      t,
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('./use-all.ts', import.meta.url)), JSON.stringify(settings)],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.file } },
    )
    await once(child.process, 'exit')
    assert.equal(child.process.exitCode, 0, child.output())
  })
})
