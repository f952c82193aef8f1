import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkSettings } from '../../src/check/check-settings.ts'
import { findSettings } from '../../src/config/find-settings.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const URL_HERE = 'http://127.0.0.1:6000/here'
const URL_THERE = 'http://127.0.0.1:6000/there'

/** A working directory with this `.env`, and the settings of an installed service. */
function filesWith(t: TestContext, own?: string, installed?: string) {
  const folder = makeTemporaryFolder(t)
  const files = {
    own: join(folder, '.env'),
    installed: join(folder, 'etc/alta-auth.env'),
    runtime: join(folder, 'run'),
  }
  if (own !== undefined) writeFileSync(files.own, own)
  if (installed !== undefined) {
    mkdirSync(join(folder, 'etc'))
    writeFileSync(files.installed, installed)
  }
  return files
}

describe('the settings of check, explain and config are', () => {
  const installed = `BACKEND_URL=${URL_THERE}\nDENY_TTL=9s\n`

  test('those of the installed service, where nothing else says BACKEND_URL', (t) => {
    const files = filesWith(t, undefined, installed)
    const found = findSettings({ PATH: '/bin' }, files)
    assert.deepEqual(found.environment, { PATH: '/bin', BACKEND_URL: URL_THERE, DENY_TTL: '9s' })
    assert.deepEqual([found.file, found.place], [files.installed, files.installed])
  })

  test('those, although another program has its .env in this folder', (t) => {
    const files = filesWith(t, 'LOG_LEVEL=verbose\nPORT=80\n', installed)
    const { environment, place } = findSettings({}, files)
    assert.deepEqual(environment, { BACKEND_URL: URL_THERE, DENY_TTL: '9s' })
    assert.equal(place, files.installed)
  })

  test('those, with the runtime directory that systemd gives the service', (t) => {
    const files = filesWith(t, undefined, installed)
    mkdirSync(files.runtime)
    const { environment } = findSettings({ RUNTIME_DIRECTORY: '/run/of-this-shell' }, files)
    assert.equal(environment['RUNTIME_DIRECTORY'], files.runtime)
    writeFileSync(files.own, `BACKEND_URL=${URL_HERE}\n`)
    assert.equal(findSettings({}, files).environment['RUNTIME_DIRECTORY'], undefined)
  })

  test('those, with what the environment says beside them', (t) => {
    const files = filesWith(t, undefined, installed)
    const { environment, place } = findSettings({ DENY_TTL: '3s' }, files)
    assert.deepEqual(environment, { BACKEND_URL: URL_THERE, DENY_TTL: '3s' })
    assert.equal(place, `the environment and ${files.installed}`)
  })

  test('those of .env, where it says BACKEND_URL', (t) => {
    const files = filesWith(t, `BACKEND_URL=${URL_HERE}\n`, installed)
    const { environment, place } = findSettings({}, files)
    assert.deepEqual(environment, { BACKEND_URL: URL_HERE })
    assert.equal(place, files.own)
  })

  test('those of the environment alone, where it says BACKEND_URL', (t) => {
    const { environment, file, place } = findSettings(
      { BACKEND_URL: URL_HERE },
      filesWith(t, undefined, installed),
    )
    assert.deepEqual([environment, file, place], [{ BACKEND_URL: URL_HERE }, undefined, 'the environment'])
  })

  test('none where there are none', (t) => {
    const found = findSettings({}, filesWith(t))
    assert.deepEqual(found, { environment: {}, fromFile: {}, file: undefined, place: '' })
  })
})

describe('check tells', () => {
  test('which file it has read', (t) => {
    const files = filesWith(t, undefined, `BACKEND_URL=${URL_THERE}\n`)
    const [finding] = checkSettings(findSettings({}, files)).findings
    assert.equal(finding?.finding, `right, from ${files.installed}; BACKEND_URL is ${URL_THERE}`)
  })

  test('which file must be corrected', (t) => {
    const files = filesWith(t, undefined, 'DENY_TTL=soon\n')
    const { findings } = checkSettings(findSettings({}, files))
    assert.equal(findings.length, 2)
    for (const { result, remedy = '' } of findings)
      assert.ok(result === 'failed' && remedy.includes(files.installed), remedy)
  })

  test('a user who may not read the settings of the service how to run it', (t) => {
    const files = filesWith(t, undefined, `BACKEND_URL=${URL_THERE}\n`)
    chmodSync(files.installed, 0)
    const found = asOther(files)
    const { result, findings } = checkSettings(found)
    assert.equal(result.ok, false)
    assert.match(findings[0]?.finding ?? '', /alta-auth\.env cannot be read by this user \(EACCES\)/)
    assert.match(findings[0]?.remedy ?? '', /sudo/)
    // With settings of their own they need no other.
    assert.equal(asOther(files, { BACKEND_URL: URL_HERE }).unreadable, undefined)
  })
})

/** What a user finds who is not root. */
function asOther(files: Parameters<typeof findSettings>[1], environment = {}) {
  const module = fileURLToPath(new URL('../../src/config/find-settings.ts', import.meta.url))
  const asks = `import { findSettings } from ${JSON.stringify(module)}
if (process.getuid() === 0) process.setuid(65534)
process.stdout.write(JSON.stringify(findSettings(${JSON.stringify(environment)}, ${JSON.stringify(files)})))`
  const program = ['--import', 'tsx', '--input-type=module', '--eval', asks]
  return JSON.parse(execFileSync(process.execPath, program, { encoding: 'utf8' })) as ReturnType<
    typeof findSettings
  >
}
