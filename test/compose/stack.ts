import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { get } from '../support/http-get.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { assertConfined, assertOpens } from './assert-confined.ts'
import { openProject } from './stack-project.ts'
import { type WatchedPage, watchPage } from './watched-page.ts'

const services = ['backend', 'demo', 'gate', 'nginx']
const playlist = '/live/test/index.m3u8'
/** Milliseconds: a name that is looked up every ten seconds, a breaker, a slow machine. */
const PATIENCE = 60_000

describe('docker compose up', () => {
  const scope = suiteScope()
  let watched: WatchedPage
  const project = forSuite(async (own) => {
    const project = await openProject(own, { file: 'docker-compose.yml', ports: ['PORT'] })
    await project.compose(['up', '--build', '--detach', '--wait', '--wait-timeout', '120'])
    return project
  })

  const ask = (target: string, viewer: string) => {
    const port = project.ports[0] ?? 0
    return get({ port }, target, { 'User-Agent': viewer, Host: `127.0.0.1:${port}` })
  }
  const statusOf = async (target: string, viewer: string): Promise<number> =>
    (await ask(target, viewer)).status
  /** Waits for a line about this viewer in nginx's log; nginx writes it after the answer. */
  const untilLogged = (viewer: string, line: RegExp): Promise<void> =>
    until(
      `${line} about ${viewer} in nginx's log`,
      async () => (await project.linesAbout(viewer, 'nginx')).some((one) => line.test(one)),
      PATIENCE,
    )

  test('makes four services that are healthy', async () => {
    for (const service of services) {
      const { State } = await project.inspect(service)
      assert.deepEqual([State.Status, State.Health.Status], ['running', 'healthy'], service)
    }
  })

  test('serves the page with its player to everybody', async () => {
    const { status, body } = await ask('/', 'reader')
    assert.equal(status, 200)
    assert.match(body, /<video/)
    assert.equal(await statusOf('/hls.js', 'reader'), 200)
  })

  test('lets a good token in, to the playlist and its segments', async () => {
    const { status, body } = await ask(`${playlist}?token=123`, 'known')
    assert.equal(status, 200)
    const segment = /^[^#].*\.ts$/m.exec(body)?.[0]
    assert.ok(segment !== undefined, body)
    const media = await ask(`/live/test/${segment}`, 'known')
    assert.equal(media.status, 200)
    assert.ok(Number(media.headers['content-length']) > 1_000)
    await untilLogged('known', / 200 \d+ verdict=allow source=session reason=riding /)
  })

  test('refuses a wrong token, no token, and a segment without a session', async () => {
    const refused = await ask(`${playlist}?token=wrong`, 'wrong')
    assert.deepEqual([refused.status, refused.headers['x-auth-reason']], [403, 'backend-403'])
    await untilLogged('wrong', / 403 \d+ verdict=deny source=backend reason=backend-403 /)
    assert.equal(await statusOf(playlist, 'none'), 403)
    assert.equal(await statusOf('/live/test/1.ts', 'stranger'), 403)
  })

  test('plays in Chromium, with the decisions beside it', async () => {
    watched = await watchPage(scope, project.ports[0] ?? 0, PATIENCE)
    await watched.playsOn(3)
    await watched.decided(/backend-200/)
  })

  test('runs nothing as root, and nothing that can write to its disk or become root', () =>
    assertConfined(project, services))

  test('opens one port, on loopback', () => assertOpens(project, services, ['nginx']))

  test('shows the gate to nginx alone', async () => {
    const reach = (port: number) =>
      project.tryExec('backend', 'php', '-r', `exit(@fsockopen('nginx', ${port}, $e, $t, 5) ? 0 : 1);`)
    assert.equal((await reach(8080)).code, 0)
    for (const port of [9180, 9181, 6001]) assert.equal((await reach(port)).code, 1, `${port}`)
  })

  test('delivers the gate without development packages', async () => {
    const { output } = await project.tryExec('gate', 'ls', 'node_modules', '.')
    assert.match(output, /^classic-level$/m)
    assert.doesNotMatch(output, /^(?:express|typescript|tsx|@biomejs|src|test)$/m)
    const natives = await project.tryExec('gate', 'ls', 'node_modules/classic-level/prebuilds')
    assert.match(natives.output, /^linux-\w+\n$/)
  })

  test('gives the gate a folder for its store that nobody else may enter, and that outlives a restart', async () => {
    const inGate = async (...command: string[]): Promise<string> => {
      const { code, output } = await project.tryExec('gate', ...command)
      assert.equal(code, 0, output)
      return output
    }
    const folder = '/var/lib/alta-auth'
    assert.equal(await inGate('stat', '--format', '%a %U', folder), '700 node\n')
    assert.match(await inGate('printenv', 'STATE_URL'), new RegExp(`^file:${folder}/state$`, 'm'))
    const level = `const { ClassicLevel } = require('classic-level'); const db = new ClassicLevel('${folder}/probe')`
    await inGate('node', '-e', `${level}; db.put('a', 'kept').then(() => db.close())`)
    await project.compose(['restart', 'gate'])
    await until(
      'a healthy gate',
      async () => (await project.inspect('gate')).State.Health.Status === 'healthy',
      PATIENCE,
    )
    // A new container gets the same volume.
    await project.compose(['up', '--detach', '--wait', '--no-deps', '--force-recreate', 'gate'])
    assert.equal(await inGate('node', '-e', `${level}; db.get('a').then(console.log)`), 'kept\n')
    await inGate('rm', '-r', `${folder}/probe`)
  })

  test('goes on for who plays while the backend is stopped, and denies who is new', async () => {
    // The stream was not silent for too long, however slow the tests above were.
    assert.equal(await statusOf(`${playlist}?token=123`, 'known'), 200)
    await project.compose(['stop', 'backend'])
    assert.equal(await statusOf(`${playlist}?token=123`, 'known'), 200)
    assert.equal(await statusOf(`${playlist}?token=123`, 'new'), 403)
    await untilLogged('new', / 403 \d+ verdict=deny source=default reason=unavailable-/)
    await watched.playsOn(6)
  })

  test('goes on for who plays when the gate is restarted, although nobody can be asked', async () => {
    assert.equal(await statusOf(playlist, 'known'), 200)
    await project.compose(['restart', 'gate'])
    await until(
      'a healthy gate',
      async () => (await project.inspect('gate')).State.Health.Status === 'healthy',
      PATIENCE,
    )
    assert.equal(await statusOf(playlist, 'known'), 200)
    await untilLogged('known', / 200 \d+ verdict=allow source=session reason=adopted /)
    await watched.playsOn(6)
  })

  test('lets who is new in with DEFAULT_ACTION=allow', async () => {
    const restart = ['up', '--detach', '--wait', '--no-deps', 'gate']
    await project.compose(restart, { DEFAULT_ACTION: 'allow' })
    assert.equal((await project.inspect('backend')).State.Status, 'exited')
    assert.equal(await statusOf(`${playlist}?token=wrong`, 'newer'), 200)
    await untilLogged('newer', / 200 \d+ verdict=allow source=default reason=unavailable-/)
  })

  test('asks the backend again when it is back', async () => {
    await project.compose(['start', 'backend'])
    let viewer = 0
    await until(
      'a wrong token to be refused by the backend',
      async () => (await statusOf(`${playlist}?token=wrong`, `back-${++viewer}`)) === 403,
      PATIENCE,
    )
    await untilLogged(`back-${viewer}`, /source=backend reason=backend-403 /)
    assert.equal(await statusOf(`${playlist}?token=123`, 'back'), 200)
  })

  test('ends when it is asked to, with a page open', async () => {
    // A process that ignores the signal is killed after ten seconds, and ends with 137.
    await project.compose(['stop'])
    for (const service of services) {
      const { State } = await project.inspect(service)
      assert.deepEqual([State.Status, State.ExitCode], ['exited', 0], service)
    }
  })

  test('leaves nothing behind', async () => {
    await project.compose(['down', '--volumes', '--rmi', 'local'])
    assert.equal(await project.left(), '')
  })
})
