import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { neededCommands } from '../../../src/state/valkey/shared-scripts.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { startChild } from '../../support/child.ts'
import { aclCommandsOfPage } from '../../support/documentation/scale-page.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { settingsFor, startValkey } from '../../support/valkey.ts'
import { beat, changeOf, makeEngine, nameOf, openEngine } from './engine-place.ts'
import { useAll } from './use-all.ts'

const viewer = nameOf('viewer')
/** What docs/scale.md gives. */
const commands = aclCommandsOfPage()
const rights = (all: readonly string[]): string[] => [
  ...['on', '>the-password', '~test:*', 'resetchannels', '-@all'],
  ...all.map((command) => `+${command}`),
]
const asUser = { username: 'alta-auth', password: 'the-password' }

describe('the rights that the gate needs', { concurrency: 4 }, () => {
  test('are those that the page gives, and that opening tries', () => {
    assert.deepEqual([...commands].sort(), [...neededCommands].sort())
  })

  test('the ACL line of the documentation suffices for all that a gate does', async (t) => {
    const server = await startValkey(t, { unix: true })
    await server.cli('ACL', 'SETUSER', 'alta-auth', 'reset', ...rights(commands))
    await useAll(await openEngine(t, settingsFor([server], asUser)))
    assert.equal(await server.cli('ACL', 'LOG'), '')
  })

  test('without any of them opening fails, and says that rights are missing', async (t) => {
    const server = await startValkey(t, { unix: true })
    for (const missing of commands) {
      await server.cli(
        'ACL',
        'SETUSER',
        missing,
        'reset',
        ...rights(commands.filter((one) => one !== missing)),
      )
      const engine = makeEngine(settingsFor([server], { ...asUser, username: missing }))
      t.after(() => engine.close())
      await assert.rejects(engine.open(), /StoreError.*rights.*ACL/, missing)
    }
  })
})

describe('the way to Valkey', { concurrency: 4 }, () => {
  test('user, password, number of the database, and prefix are used', async (t) => {
    const server = await startValkey(t)
    await server.cli('ACL', 'SETUSER', 'alta-auth', 'reset', ...rights([...commands, 'select']))
    const engine = await openEngine(t, settingsFor([server], { ...asUser, database: 3 }))
    await engine.write([changeOf(viewer)])
    assert.match(await server.cli('-n', '3', 'KEYS', '*v{*'), /^test:2:v/)
    assert.equal(await server.cli('KEYS', '*'), '')
  })

  test('two installations with two prefixes do not see each other', async (t) => {
    const server = await startValkey(t, { unix: true })
    const [one, other] = await Promise.all(
      ['a*:', 'ab:'].map((prefix) => openEngine(t, settingsFor([server], { prefix }))),
    )
    assert.ok(one !== undefined && other !== undefined)
    await one.write([changeOf(viewer)])
    await beat(one)
    assert.deepEqual([await other.list(viewer), await other.roster()], [[], []])
    await other.write([changeOf(viewer, { id: 'two' })])
    assert.deepEqual(
      (await one.list(viewer)).map(({ id }) => id),
      ['one'],
    )
  })

  test('over TLS the certificate is checked', async (t) => {
    const folder = makeTemporaryFolder(t)
    const authority = makeAuthority(folder, 'authority')
    const { key, cert } = authority.issue('DNS:localhost,IP:127.0.0.1')
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    writeFileSync(keyFile, key)
    writeFileSync(certFile, cert)
    const acl = join(folder, 'users.acl')
    writeFileSync(acl, `user default off\nuser alta-auth ${rights(commands).join(' ')}\n`)
    const server = await startValkey(t, {
      tls: true,
      more: [
        ...['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', authority.file],
        ...['--tls-auth-clients', 'no', '--aclfile', acl],
      ],
      cli: ['--cacert', authority.file, '--user', 'alta-auth', '-a', 'the-password'],
    })
    const settings = settingsFor([server], { ...asUser, tls: true })
    const engine = makeEngine(settings, { open: 1_000 })
    t.after(() => engine.close())
    await assert.rejects(engine.open(), /NODE_EXTRA_CA_CERTS/)
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
