import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { get } from '../support/http-get.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { assertConfined, assertOpens } from './assert-confined.ts'
import { openProject } from './stack-project.ts'
import { type WatchedPage, watchPage } from './watched-page.ts'

const file = 'docker-compose.cluster.yml'
const services = [
  ...['backend', 'demo', 'edge1', 'edge2', 'gate1', 'gate2'],
  ...['secret', 'sentinel', 'valkey1', 'valkey2'],
]
const playlist = '/live/test/index.m3u8'
/** Milliseconds: a failover, a slow machine. */
const PATIENCE = 60_000

describe(`docker compose -f ${file} up`, () => {
  const scope = suiteScope()
  let watched: WatchedPage
  const project = forSuite(async (own) => {
    const project = await openProject(own, { file, ports: ['PORT', 'PORT_2'] })
    await project.compose(['up', '--build', '--detach', '--wait', '--wait-timeout', '120'])
    return project
  })

  const statusAt = async (edge: 1 | 2, target: string, viewer: string): Promise<number> => {
    const port = project.ports[edge - 1] ?? 0
    return (await get({ port }, target, { 'User-Agent': viewer, Host: `127.0.0.1:${port}` })).status
  }
  const untilLogged = (edge: 1 | 2, viewer: string, line: RegExp): Promise<void> =>
    until(
      `${line} about ${viewer} in the log of edge ${edge}`,
      async () => (await project.linesAbout(viewer, `edge${edge}`)).some((one) => line.test(one)),
      PATIENCE,
    )

  test('makes two edges, two gates and what they share, all healthy', async () => {
    for (const service of services) {
      const { State } = await project.inspect(service)
      assert.deepEqual([State.Status, State.Health.Status], ['running', 'healthy'], service)
    }
  })

  test('runs nothing as root, and nothing that can write to its disk or become root', () =>
    assertConfined(project, services))

  test('opens a port for each edge, on loopback', () => assertOpens(project, services, ['edge1', 'edge2']))

  test('shows Valkey to the gates alone', async () => {
    const reach = (service: string, program: readonly string[]) => project.tryExec(service, ...program)
    const script = "exit(@fsockopen('valkey1', 6379, $e, $t, 5) ? 0 : 1);"
    assert.equal((await reach('backend', ['php', '-r', script])).code, 1)
    const inGate =
      "require('node:net').connect(6379, 'valkey1', () => process.exit(0)).on('error', () => process.exit(1))"
    assert.equal((await reach('gate1', ['node', '-e', inGate])).code, 0)
  })

  test('makes a secret at the first start, which both gates have and nobody else can read', async () => {
    const read = (service: string) => project.tryExec(service, 'cat', '/run/secret/state')
    const [one, other] = [await read('gate1'), await read('gate2')]
    assert.match(one.output, /^[0-9a-f]{64}$/)
    assert.equal(other.output, one.output)
    for (const service of ['edge1', 'backend', 'valkey1', 'demo'])
      assert.notEqual((await read(service)).code, 0, service)
    const { Config } = await project.inspect('gate1')
    assert.ok(!JSON.stringify(Config).includes(one.output))
  })

  test('refuses a wrong token at both edges, and a viewer that nobody knows', async () => {
    for (const edge of [1, 2] as const) {
      assert.equal(await statusAt(edge, `${playlist}?token=wrong`, 'wrong'), 403)
      assert.equal(await statusAt(edge, playlist, 'stranger'), 403)
    }
  })

  test('plays in Chromium through one edge, and goes on through the other without a token', async () => {
    watched = await watchPage(scope, project.ports[0] ?? 0, PATIENCE)
    await watched.playsOn(2)
    await watched.decided(/allow backend edge 1 backend-200/)
    await watched.page.click('text="edge 2"')
    await watched.decided(/allow session edge 2 adopted/)
    await watched.playsOn(3)
  })

  test('a viewer of edge 1 goes on at edge 2 without a token, although nobody can be asked', async () => {
    assert.equal(await statusAt(1, `${playlist}?token=123`, 'box'), 200)
    await project.compose(['stop', 'backend'])
    assert.equal(await statusAt(2, playlist, 'box'), 200)
    await untilLogged(2, 'box', / 200 \d+ verdict=allow source=session reason=adopted /)
    assert.equal(await statusAt(1, `${playlist}?token=123`, 'newcomer'), 403)
    await project.compose(['start', 'backend'])
  })

  test("cuts nobody when Valkey's primary dies, and shares again when Sentinel has found another", async () => {
    await project.compose(['kill', 'valkey1'])
    for (const edge of [1, 2] as const) assert.equal(await statusAt(edge, playlist, 'box'), 200)
    await watched.playsOn(3)
    let viewer = ''
    let tried = 0
    await until(
      'a new viewer of edge 1 at edge 2',
      async () => {
        viewer = `later-${++tried}`
        if ((await statusAt(1, `${playlist}?token=123`, viewer)) !== 200) return false
        return (await statusAt(2, playlist, viewer)) === 200
      },
      PATIENCE,
    )
    await untilLogged(2, viewer, / 200 \d+ verdict=allow source=session reason=adopted /)
    for (const edge of [1, 2] as const) assert.equal(await statusAt(edge, playlist, 'box'), 200)
  })

  test('leaves nothing behind', async () => {
    await project.compose(['down', '--volumes', '--rmi', 'local', '--timeout', '5'])
    assert.equal(await project.left(), '')
  })
})
