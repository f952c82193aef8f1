import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readCommands } from '../install/read-commands.ts'
import { suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { docker, testName, tryDocker } from './docker.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

describe('the image, as docs/install.md builds and starts it', () => {
  const scope = suiteScope()
  const name = `${testName}-alone`

  test('is healthy without root, and ends as asked', async () => {
    const settings = join(makeTemporaryFolder(scope), 'alta-auth.env')
    writeFileSync(settings, 'BACKEND_URL=http://127.0.0.1:6000/auth\nCHANNEL_PATTERN=^/live/(\\w+)/\n')
    scope.after(async () => {
      await tryDocker(['rm', '--force', name])
      await tryDocker(['image', 'rm', '--force', name])
      await tryDocker(['volume', 'rm', '--force', name])
    })
    const [build = '', run = ''] = readCommands('Docker').join('\n').replaceAll('\\\n', '').split('\n')
    // Names and the network of this machine are taken: it may have such a gate.
    await docker(wordsOf(build.replace('--tag alta-auth', `--tag ${name}`)), {
      cwd: repository,
      patience: 400_000,
    })
    await docker(
      wordsOf(
        run
          .replace('--name alta-auth', `--name ${name}`)
          .replace('--volume alta-auth:', `--volume ${name}:`)
          .replace('--network host', '--network none')
          .replace('/etc/alta-auth/alta-auth.env', settings)
          .replace(/alta-auth$/, name),
      ),
    )

    const inspect = (format: string) =>
      docker(['inspect', '--format', format, name]).then((text) => text.trim())
    await until(
      'a healthy gate',
      async () => (await inspect('{{.State.Health.Status}}')) === 'healthy',
      60_000,
    )
    assert.match(await docker(['exec', name, 'id', '-u']), /^[1-9]\d*$/m)
    assert.match(await docker(['logs', name]), /"message":"listening"/)
    const store = ['/var/lib/alta-auth', '/var/lib/alta-auth/probe'] as const
    assert.equal(await docker(['exec', name, 'stat', '--format', '%a %U', store[0]]), '700 node\n')
    await docker(['exec', name, 'mkdir', store[1]])
    assert.notEqual((await tryDocker(['exec', name, 'mkdir', '/var/lib/probe'])).code, 0)
    assert.match(
      await docker(['exec', name, 'printenv', 'STATE_URL']),
      /^file:\/var\/lib\/alta-auth\/state$/m,
    )
    await docker(['stop', name])
    assert.equal(await inspect('{{.State.ExitCode}}'), '0')
    assert.match(await docker(['logs', name]), /"message":"stopped"[^\n]*\n$/)
  })
})

/** A command line for docker, without quotes, as its parameters. */
function wordsOf(line: string): string[] {
  const [program, ...words] = line.trim().split(/\s+/)
  assert.equal(program, 'docker', line)
  return words
}
