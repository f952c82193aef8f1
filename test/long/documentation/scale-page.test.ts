import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readCosts } from '../../../bench/scale/costs.ts'
import { needsTable } from '../../../bench/scale/needs-table.ts'
import { costParts } from '../../../bench/scale/scale-tables.ts'
import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import { changeOf } from '../../state/conformance.ts'
import { makeEngine } from '../../state/valkey/engine-place.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { type Child, startChild } from '../../support/child.ts'
import { readPage } from '../../support/documentation/pages.ts'
import { blockOfPage } from '../../support/documentation/scale-page.ts'
import { findFreePort } from '../../support/free-port.ts'
import type { Scope } from '../../support/scope.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'
import { settingsFor } from '../../support/valkey.ts'

interface Started {
  readonly port: number
  readonly child: Child
}

/** Starts a server as the page says, on this machine. */
async function startServer(scope: Scope, more: readonly string[] = []): Promise<Started> {
  const folder = makeTemporaryFolder(scope)
  const port = await findFreePort()
  const acl = join(folder, 'users.acl')
  writeFileSync(acl, `${blockOfPage('acl')}\n`)
  const lines = blockOfPage('valkey')
    .replace(/^bind .*$/m, `bind 127.0.0.1\ndir ${folder}`)
    .replace(/^port .*$/m, `port ${port}`)
    .replace(/^aclfile .*$/m, `aclfile ${acl}`)
  const file = join(folder, 'valkey.conf')
  writeFileSync(file, `${[lines, ...more].join('\n')}\n`)
  const child = startChild(scope, 'valkey-server', [file])
  await until('valkey-server to listen', () => {
    assert.equal(child.process.exitCode, null, child.output())
    return child.output().includes('eady to accept connections')
  })
  return { port, child }
}

async function startSentinel(scope: Scope, primary: number): Promise<number> {
  const folder = makeTemporaryFolder(scope)
  const port = await findFreePort()
  const lines = blockOfPage('sentinel')
    .replace(/^bind .*$/m, `bind 127.0.0.1\ndir ${folder}`)
    .replace(/^port .*$/m, `port ${port}`)
    .replace(/10\.20\.0\.11 6379/, `127.0.0.1 ${primary}`)
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, `${lines}\n`)
  const child = startChild(scope, 'valkey-sentinel', [file])
  await until('valkey-sentinel to watch', () => child.output().includes('+monitor'))
  return port
}

const own: Partial<ValkeySettings> = {
  username: 'alta-auth',
  password: 'the-password',
  prefix: 'alta-auth:',
}

describe('Valkey as docs/scale.md sets it up', { concurrency: 2 }, () => {
  test('a primary that dies gives way to its replica, with the rights of the page alone', async (t) => {
    const primary = await startServer(t)
    const replica = await startServer(t, [`replicaof 127.0.0.1 ${primary.port}`])
    await until('the replica is in step', () =>
      replica.child.output().includes('PRIMARY <-> REPLICA sync: Finished with success'),
    )
    const sentinels: number[] = []
    for (let n = 0; n < 3; n++) sentinels.push(await startSentinel(t, primary.port))
    const store = makeEngine(
      settingsFor([], {
        ...own,
        mode: { kind: 'sentinel', name: 'alta-auth' },
        nodes: sentinels.map((port) => ({ kind: 'tcp', host: '127.0.0.1', port })),
      }),
      { read: 1_000, write: 1_000 },
    )
    t.after(() => store.close())
    await store.open()
    const change = changeOf('a-viewer-of-22-letters', 'a-session-of-22-letter')
    await store.write([change])
    await primary.child.stop('SIGKILL')
    await until(
      'the replica is the primary',
      async () => {
        const listed = await store.list(change.viewer).catch(() => [])
        const isWritten = await store.write([change]).then(
          ([outcome]) => outcome?.kind === 'written',
          () => false,
        )
        return isWritten && listed.length === 1
      },
      30_000,
    )
  })

  test('with its lines for TLS it speaks TLS alone', async (t) => {
    const folder = makeTemporaryFolder(t)
    const authority = makeAuthority(folder, 'authority')
    const { key, cert } = authority.issue('DNS:localhost,IP:127.0.0.1')
    writeFileSync(join(folder, 'valkey.key'), key)
    writeFileSync(join(folder, 'valkey.crt'), cert)
    const port = await findFreePort()
    const lines = blockOfPage('tls')
      .replace('tls-port 6379', `tls-port ${port}`)
      .replace('/etc/valkey/ca.crt', authority.file)
      .replaceAll('/etc/valkey/', `${folder}/`)
    await startServer(t, [lines])
    const ping = ['-p', String(port), '--user', 'replica', '-a', 'the-password-of-the-replica', 'ping']
    const run = (more: readonly string[]): Promise<number | null> =>
      startChild(t, 'valkey-cli', [...more, ...ping]).exited
    const tls = startChild(t, 'valkey-cli', ['--tls', '--cacert', authority.file, ...ping])
    await tls.exited
    assert.match(tls.output(), /PONG/)
    assert.notEqual(await run([]), 0)
  })
})

test('the figures of docs/scale.md are those that the bench has written', () => {
  const { text } = readPage('docs/scale.md')
  const costs = readCosts()
  for (const part of [...costParts(costs), needsTable(costs)]) assert.ok(text.includes(part), part)
})
