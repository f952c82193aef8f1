import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { findFreePort } from '../support/free-port.ts'
import { get } from '../support/http-get.ts'
import { startMain } from '../support/main-process.ts'
import { manifest, packPackage, root, runIn } from '../support/npm-package.ts'
import { suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

describe('the npm package, made and unpacked elsewhere', () => {
  const scope = suiteScope()
  const elsewhere = makeTemporaryFolder(scope)
  const unpacked = join(elsewhere, 'package')
  let tarball = ''

  before(() => {
    tarball = packPackage(scope)
    runIn(elsewhere, 'tar', '-xf', tarball)
  })

  test('is in order for publint', () => {
    const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js')
    assert.match(runIn(elsewhere, process.execPath, publint, 'run', '--strict', tarball), /All good!/)
  })

  test('serves with a store, with no other packages than its dependencies, and ends as asked', async (t) => {
    mkdirSync(join(unpacked, 'node_modules'))
    for (const name of Object.keys(manifest.dependencies))
      symlinkSync(join(root, 'node_modules', name), join(unpacked, 'node_modules', name))
    const [port, adminPort] = [await findFreePort(), await findFreePort()]
    const main = startMain(
      t,
      {
        BACKEND_URL: 'http://127.0.0.1:6000/auth',
        STATE_URL: `file:${join(elsewhere, 'state')}`,
        LISTEN: `127.0.0.1:${port}`,
        ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      },
      { command: [process.execPath, join(unpacked, 'dist/main.js')] },
    )
    await main.listening()
    const { status, body } = await get({ port: adminPort }, '/readyz')
    assert.deepEqual([status, JSON.parse(body).ready], [200, true])
    const page = await get({ port: adminPort }, '/')
    for (const [, file = ''] of page.body.matchAll(/(?:src|href)="([\w-]+\.\w+)"/g))
      assert.equal((await get({ port: adminPort }, `/${file}`)).status, 200, file)
    assert.match(page.body, /<title>alta-auth/)
    main.signal('SIGTERM')
    assert.equal(await main.exited, 0)
  })

  test('brings what the installation copies from it, and the pages', () => {
    const commands = readFileSync(join(root, 'docs', 'install.md'), 'utf8')
    const copied = [
      ...commands.matchAll(/(?:\$package|\/usr\/local\/lib\/node_modules\/alta-auth)\/([\w./-]*[\w])/g),
    ]
    assert.ok(copied.length >= 6, `${copied.length} paths in docs/install.md`)
    for (const [, path = ''] of copied) assert.ok(existsSync(join(unpacked, path)), path)
    for (const page of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs/install.md'])
      assert.ok(existsSync(join(unpacked, page)), page)
  })

  test('brings nothing else: no sources, tests or leftovers', () => {
    const files = runIn(elsewhere, 'tar', '-tf', tarball).trim().split('\n')
    const strange = files.filter(
      (file) =>
        !/^package\/(?:dist\/main\.js|dist\/third-party-notices\.txt|live-page\/[\w-]+\.(?:css|html|js)|(?:nginx|systemd|examples|monitoring|fail2ban)\/.+|docs\/[\w-]+\.md|[A-Z]+(?:\.md)?|package\.json|\.env\.example)$/.test(
          file,
        ),
    )
    assert.deepEqual(strange, [])
    assert.ok(!files.includes('package/dist/left-behind.js'))
  })
})
